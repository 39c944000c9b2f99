"""Some cases of a store, as a store."""

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
    """Some cases of a store, under the same name.

    Attributes:
        whole: The store.
        ids: The cases, in the order in which they are wanted.

    Raises:
        UserError: There are none, or the store lacks one.

    Example:
        >>> from llmseg import SyntheticStore
        >>> store = SyntheticStore("fundus", count=5)
        >>> len(Subset(store, store.ids[:2]).groups)
        2
    """

    whole: Store
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.ids:
            raise UserError(f"no cases of {self.whole.name} are left; choose others")
        known = set(self.whole.ids)
        lacking = [id for id in self.ids if id not in known]
        if lacking:
            count = f"{len(lacking)} of {len(self.ids)}"
            raise UserError(f"{self.name} lacks {count} cases, first '{lacking[0]}'; it has '{self.whole.ids[0]}'")

    @property
    def name(self) -> str:
        """Name of the store."""
        return self.whole.name

    @functools.cached_property
    def groups(self) -> Mapping[str, str]:
        """The groups of the cases."""
        groups = self.whole.groups
        return {id: groups[id] for id in self.ids}

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over the store's digest and the ids, 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps([self.whole.digest, *self.ids]).encode()).hexdigest()

    def read(self, id: str) -> Case:
        """Read one case; raises :class:`UserError` as the store does."""
        if id not in self.groups:
            raise UserError(f"no case '{id}' among the {len(self.ids)} chosen of {self.name}")
        return self.whole.read(id)
