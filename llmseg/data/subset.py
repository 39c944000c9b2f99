"""Some cases of a store, as a store of their own: test cases, or those that may be trained on."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from llmseg.data.store import Case, Store
from llmseg.errors import UserError


@dataclass(frozen=True)
class Subset:
    """Some cases of a store, under the store's name.

    Attributes:
        whole: The store.
        ids: Ids of the cases, in the order in which they are wanted.

    Raises:
        UserError: ``ids`` is empty, or the store lacks one of them.

    Example:
        >>> from llmseg import SyntheticStore
        >>> store = SyntheticStore("fundus", count=5)
        >>> first_two = Subset(store, store.ids[:2])
        >>> first_two.ids, first_two.name
        (('001.png', '002.png'), 'synthetic-fundus')
    """

    whole: Store
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.ids:
            raise UserError(f"no cases of {self.whole.name} are left; choose others")
        present = set(self.whole.ids)
        lacking = [id for id in self.ids if id not in present]
        if lacking:
            count = f"{len(lacking)} of {len(self.ids)}"
            raise UserError(f"{self.name} lacks {count} cases, first '{lacking[0]}'; it has '{self.whole.ids[0]}'")

    @property
    def name(self) -> str:
        """Name of the store."""
        return self.whole.name

    @functools.cached_property
    def groups(self) -> Mapping[str, str]:
        """For each of these cases, what it belongs to."""
        groups = self.whole.groups
        return {id: groups[id] for id in self.ids}

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over the whole store's digest and the ids in their order, 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps([self.whole.digest, *self.ids]).encode()).hexdigest()

    def read(self, id: str) -> Case:
        """Read one case.

        Raises:
            UserError: The id is not among the chosen ones, or the store cannot read the case.
        """
        if id not in self.groups:
            raise UserError(f"no case '{id}' among the {len(self.ids)} chosen of {self.name}")
        return self.whole.read(id)
