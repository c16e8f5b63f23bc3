"""The suppression list of a lake on S3."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adverse_events.lake.s3.store import ChangedError
from adverse_events.lake.suppression import FOLDER, SuppressionFiles

if TYPE_CHECKING:
    from adverse_events.lake.s3.store import S3Store


@dataclass(frozen=True)
class SuppressionObjects(SuppressionFiles):
    """The objects of the suppression list of the lake at `url`."""

    url: str
    store: S3Store = field(compare=False, repr=False)

    def names(self) -> tuple[str, ...]:
        """Return the names of the objects there are, sorted."""
        return tuple(sorted(key.removeprefix(f"{FOLDER}/") for key in self.store.list_between(f"{FOLDER}/")))

    def read(self, name: str) -> bytes | None:
        """Return an object's bytes; None where it has just gone."""
        found = self.store.get(f"{FOLDER}/{name}")
        return found.data if found else None

    def add(self, name: str, data: bytes) -> None:
        """Keep `data` for good under `name`; one that another run has just put there is the same."""
        with suppress(ChangedError):
            self.store.put(f"{FOLDER}/{name}", data, replaces=None)

    def remove(self, name: str) -> None:
        """Remove an object whose rows another holds."""
        found = self.store.get(f"{FOLDER}/{name}", n_last_bytes=1)
        if found:
            with suppress(ChangedError):
                self.store.delete(f"{FOLDER}/{name}", found.etag)
