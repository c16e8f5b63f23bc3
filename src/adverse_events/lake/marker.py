"""The marker file at a lake's root: what every window in it was made with, checked at each opening."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, Field, ValidationError

from adverse_events.errors import ContractError, UsageError
from adverse_events.tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from pathlib import Path


class Marker(BaseModel, frozen=True, extra="ignore"):
    """What may not change during the life of a lake."""

    schema_version: int = Field(ge=1, description="Version of the tables.")
    window_minutes: int = Field(ge=1, description="Length of every window, minutes.")
    privacy_mode: str = Field(description="signal or case.")
    key_fingerprint: str = Field(description="Fingerprint of the key that hashes ids; never the key.")
    created_by: str = Field(description="Version of adverse_events that created the lake.")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the marker stored at `path`.

        Raises:
            FileNotFoundError: There is none.
            ContractError: It is not a marker, or newer code wrote it.
        """
        return cls.parse(path.read_bytes(), str(path))

    @classmethod
    def parse(cls, data: bytes, place: str) -> Self:
        """Return the marker whose bytes are `data`, stored at `place`.

        Raises:
            ContractError: It is not a marker, or newer code wrote it.
        """
        contract = f"lake marker {place}"
        try:
            stored = json.loads(data)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ContractError(contract, _CORRUPT) from error
        version = stored.get("schema_version") if isinstance(stored, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise ContractError(
                contract,
                f"schema version {version} is newer than the {SCHEMA_VERSION} this code knows; upgrade adverse_events",
            )
        try:
            return cls.model_validate(stored)
        except ValidationError as error:
            raise ContractError(contract, _CORRUPT) from error

    def to_json(self) -> str:
        """Return the text stored in the lake."""
        return json.dumps(self.model_dump(), indent=2, sort_keys=True) + "\n"

    def check_same_lake(self, wanted: Marker, lake: str) -> None:
        """Raise `UsageError` naming every way in which `wanted` is not this lake."""
        differences = [
            f"{name} {getattr(self, field)} there, {getattr(wanted, field)} in this run ({remedy})"
            for field, (name, remedy) in _FIXED.items()
            if getattr(self, field) != getattr(wanted, field)
        ]
        if differences:
            msg = f"lake {lake} was made differently: {'; '.join(differences)}; or choose another lake folder"
            raise UsageError(msg)


_CORRUPT = "is damaged; restore the file from a backup, or write to a new lake folder"

_FIXED = {
    "window_minutes": ("window length in minutes", "use the lake's length: windows of two grids would overlap"),
    "privacy_mode": ("privacy mode", "use the lake's mode: the two keep different ids"),
    "key_fingerprint": ("key fingerprint", "use the lake's key: ids hashed with another one never match"),
}
