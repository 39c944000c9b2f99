"""Which cases belong together: told by a pattern for their ids, or by a table of cases and groups.

Images of one patient, or frames of one video, are not independent. A folder of files does not say which they are, but
the names often do (``patient01_slice003.png``), or a table that came with the images does. What a table says is checked
against the cases: a slip in it would divide a patient between training and test, and no score would show it.
"""

from __future__ import annotations

import csv
import re
import unicodedata
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from llmseg.data.reading import ReadingWarning
from llmseg.data.store import Store
from llmseg.errors import UserError, name_first

COLUMNS = ("case", "group")
"""Columns that a table of groups must have. Others are passed over."""

"""How many cases or rows a message names."""


def match_groups(pattern: str, ids: Sequence[str]) -> dict[str, str]:
    r"""Return the group of every case, taken from its id by a regular expression.

    The pattern is searched in the id. The group is what ``(?P<group>...)`` matches; without it, what the first pair of
    parentheses matches; without parentheses, all that the pattern matches.

    Args:
        pattern: A regular expression as :mod:`re` reads it.
        ids: Ids of the cases.

    Raises:
        UserError: The pattern is no regular expression, a case does not match, or the pattern tells nothing: every case
            gets a group of its own, or all cases get the same group.

    Example:
        >>> match_groups(r"p\d+", ["p01_s1.png", "p01_s2.png", "p02_s1.png"])
        {'p01_s1.png': 'p01', 'p01_s2.png': 'p01', 'p02_s1.png': 'p02'}
    """
    groups = search_ids(pattern, ids)
    lacking = [id for id in ids if id not in groups]
    if lacking:
        raise UserError(
            f"group pattern '{pattern}' matches nothing in {len(lacking)} of {len(ids)} cases: {name_first(lacking)}; "
            "change the pattern, or name the groups in a table (--groups TABLE.csv)"
        )
    different = len(set(groups.values()))
    if len(ids) > 1 and different == len(ids):
        raise UserError(
            f"group pattern '{pattern}' gives every one of the {len(ids)} cases a group of its own, such as "
            f"'{groups[ids[0]]}' for '{ids[0]}'; let it match only what cases of a group have in common, or leave it "
            "out if cases are independent"
        )
    if len(ids) > 1 and different == 1:
        raise UserError(
            f"group pattern '{pattern}' gives all {len(ids)} cases the same group, '{groups[ids[0]]}'; let it match "
            "what differs between groups, such as the patient's number"
        )
    return groups


def search_ids(pattern: str, texts: Iterable[str]) -> dict[str, str]:
    """Return the group of every text that a pattern matches, by text; see :func:`match_groups`.

    Raises:
        UserError: The pattern is no regular expression.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UserError(f"group pattern '{pattern}' is no regular expression: {error}") from error
    wanted = "group" if "group" in expression.groupindex else min(expression.groups, 1)
    found = {text: match[wanted] for text in texts if (match := expression.search(text))}
    # An optional group that took no part in the match gives None, and one of no letters names nothing.
    return {text: group for text, group in found.items() if group}


def read_group_table(path: str | Path) -> dict[str, str]:
    r"""Return what a table says: group by case, as the names are written there.

    The table is a CSV file in UTF-8 with the columns ``case`` and ``group``, separated by commas, semicolons or tabs.

    Raises:
        UserError: There is no such file, it is no table, a column is missing, a row has no case or no group, or a case
            has rows with different groups.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "groups.csv"
        ...     _ = path.write_text("case,group\na.png,ann\nb.png,bob\n")
        ...     read_group_table(path)
        {'a.png': 'ann', 'b.png': 'bob'}
    """
    try:
        # Spreadsheet programs begin a file with a mark that would otherwise become a part of the first column's name.
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UserError(f"no table of groups {path} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"table of groups {path} is not in UTF-8; save it as CSV in UTF-8") from error
    header = lines[0] if lines else ""
    reader = csv.reader(lines, delimiter=max(",;\t", key=header.count))
    try:
        columns = [name.strip() for name in next(reader, [])]
        if any(columns.count(name) != 1 for name in COLUMNS):
            raise UserError(
                f"table of groups {path} has the columns {', '.join(columns) or 'none'}; "
                "it needs one column 'case' and one column 'group'"
            )
        positions = [columns.index(name) for name in COLUMNS]
        rows: list[tuple[int, str, str]] = []
        for cells in reader:
            if any(cell.strip() for cell in cells):
                case, group = ((cells[position].strip() if position < len(cells) else "") for position in positions)
                rows.append((reader.line_num, case, group))
    except csv.Error as error:
        raise UserError(f"table of groups {path} is no CSV at line {reader.line_num}: {error}") from error
    _check_rows(path, rows)
    return {case: group for _, case, group in rows}


def _check_rows(path: str | Path, rows: Sequence[tuple[int, str, str]]) -> None:
    """Refuse rows without a case or a group, and two rows of one case with different groups."""
    if not rows:
        raise UserError(f"table of groups {path} has no rows; give each case a row")
    for what, place in (("case", 1), ("group", 2)):
        empty = [str(row[0]) for row in rows if not row[place]]
        if empty:
            raise UserError(f"table of groups {path} has no {what} in {len(empty)} rows: line {name_first(empty)}")
    lines: dict[str, dict[str, int]] = {}
    for line, case, group in rows:
        lines.setdefault(_normalise(case), {}).setdefault(group, line)
    doubled = [f"'{case}' in lines {' and '.join(map(str, at.values()))}" for case, at in lines.items() if len(at) > 1]
    if doubled:
        several = f"different groups for {len(doubled)} cases: {name_first(doubled)}"
        raise UserError(f"table of groups {path} has {several}; keep one row each")


def look_up_groups(table: Mapping[str, str], ids: Sequence[str], *, source: str = "table of groups") -> dict[str, str]:
    """Return the group of every case from a table; a case is called by its id, or by its id without the extension.

    Args:
        table: Group by case. It may have cases that are not there, such as those of a whole study for a part of it.
        ids: Ids of the cases.
        source: What messages call the table.

    Raises:
        UserError: A case is missing in the table or has two groups there, or a group has no name.

    Warns:
        ReadingWarning: The table has cases that are not there.

    Example:
        >>> look_up_groups({"a": "ann", "b.png": "bob"}, ["a.png", "b.png"])
        {'a.png': 'ann', 'b.png': 'bob'}
    """
    names = _names_of_ids(ids)
    groups: dict[str, str] = {}
    unknown: list[str] = []
    for case, group in table.items():
        id = names.get(_normalise(str(case)))
        if id is None:
            unknown.append(str(case))
        elif not isinstance(group, str) or not group.strip():
            raise UserError(f"{source} has no group for case '{id}'; a group is a text that is not empty")
        elif groups.get(id, group) != group:
            raise UserError(f"{source} has two groups for case '{id}', '{groups[id]}' and '{group}'; keep one")
        else:
            groups[id] = group
    missing = [id for id in ids if id not in groups]
    if missing:
        hint = f"; it has others, such as '{unknown[0]}'" if unknown else ""
        raise UserError(f"{source} lacks {len(missing)} of {len(ids)} cases: {name_first(missing)}{hint}; add them")
    if unknown:
        sentence = f"{source} has {len(unknown)} cases that are not there and are passed over: {name_first(unknown)}"
        warnings.warn(sentence, ReadingWarning, stacklevel=3)
    return {id: groups[id] for id in ids}


def _names_of_ids(ids: Sequence[str]) -> dict[str, str]:
    """Return ids by what a table may call them: the id, or the id without extension where that is one case only."""
    names: dict[str, str] = {}
    shared: set[str] = set()
    for id in ids:
        stem = _normalise(str(PurePosixPath(id).with_suffix("")) if PurePosixPath(id).suffix else id)
        if names.setdefault(stem, id) != id:
            shared.add(stem)
    return {name: id for name, id in names.items() if name not in shared} | {_normalise(id): id for id in ids}


def choose_groups(
    ids: Sequence[str],
    pattern: str | None,
    table: Mapping[str, str] | str | Path | None,
) -> dict[str, str]:
    """Return the group of every case: by a pattern, by a table, or each case in a group of its own if there is neither.

    Args:
        ids: Ids of the cases.
        pattern: See :func:`match_groups`.
        table: Group by case, or a file that :func:`read_group_table` reads.

    Raises:
        UserError: There are both, or the pattern or the table does not fit the cases.

    Example:
        >>> choose_groups(["a.png", "b.png"], None, None)
        {'a.png': 'a.png', 'b.png': 'b.png'}
    """
    check_one_way(pattern, table)
    if pattern is not None:
        return match_groups(pattern, ids)
    if table is None:
        return {id: id for id in ids}
    if isinstance(table, Mapping):
        return look_up_groups(table, ids)
    return look_up_groups(read_group_table(table), ids, source=f"table of groups {table}")


def check_one_way(pattern: str | None, table: object) -> None:
    """Refuse a pattern and a table at once.

    Raises:
        UserError: There are both.
    """
    if pattern is not None and table is not None:
        raise UserError("groups are given by a pattern and by a table; give --group or --groups, not both")


def has_groups(store: Store) -> bool:
    """Return whether two cases of a store belong together; otherwise all are taken as independent.

    Example:
        >>> from llmseg import SyntheticStore
        >>> has_groups(SyntheticStore("endoscopy", count=4)), has_groups(SyntheticStore("dermoscopy", count=4))
        (True, False)
    """
    return len(set(store.groups.values())) < len(store.ids)


def _normalise(name: str) -> str:
    # A Mac may write the letters of a name apart from their accents, a table from elsewhere does not.
    return unicodedata.normalize("NFC", name)
