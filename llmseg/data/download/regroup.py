"""Give the cases of a download groups, where its layout does not tell them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmseg.data.download.layouts.case_files import DatasetFiles
from llmseg.data.groups import choose_groups, match_groups, search_ids
from llmseg.errors import UserError


def regroup(
    dataset_files: DatasetFiles, pattern: str | None, table: Mapping[str, str] | str | Path | None
) -> DatasetFiles:
    """Return the files of a dataset with groups by a pattern or a table; as they are if there is neither.

    Ids are tried first. If the pattern does not match all of them, it is searched in the paths of the images, for a
    folder per patient is not a part of the id.

    Args:
        dataset_files: What was found in the download.
        pattern: See :func:`llmseg.data.groups.match_groups`.
        table: See :func:`llmseg.data.groups.look_up_groups`.

    Raises:
        UserError: The layout tells groups itself, or the pattern or the table does not fit the cases.
    """
    if pattern is None and table is None:
        return dataset_files
    case_files = dataset_files.case_files
    told = next((item for item in case_files if item.group not in ("", item.key)), None)
    if told is not None:
        raise UserError(
            f"--group and --groups are for data that tell no groups; here '{told.key}' is of '{told.group}' by the "
            f"layout ({dataset_files.layout}); leave the option out"
        )
    keys = [item.key for item in case_files]
    groups = _match_paths(dataset_files, pattern) if pattern is not None and table is None else None
    if groups is None:
        groups = choose_groups(keys, pattern, table)
    return replace(dataset_files, case_files=tuple(replace(item, group=groups[item.key]) for item in case_files))


def _match_paths(dataset_files: DatasetFiles, pattern: str) -> dict[str, str] | None:
    """Return the group of every id by the path of its image, ``None`` if ids tell it or paths do not, either."""
    paths = {item.key: item.files[0].path for item in dataset_files.case_files}
    if len(search_ids(pattern, paths)) == len(paths) or len(search_ids(pattern, paths.values())) < len(paths):
        return None
    by_path = match_groups(pattern, list(paths.values()))
    return {key: by_path[path] for key, path in paths.items()}


def describe_groups(pattern: str | None, table: Mapping[str, str] | str | Path | None) -> dict[str, Any]:
    """Return how groups were given, for the provenance of a store; empty if they were not.

    Example:
        >>> describe_groups(None, None), describe_groups(None, "lists/patients.csv")
        ({}, {'groups': 'patients.csv'})
    """
    if pattern is not None:
        return {"group": pattern}
    if table is not None:
        return {"groups": "mapping" if isinstance(table, Mapping) else Path(table).name}
    return {}
