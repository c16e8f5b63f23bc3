"""The gold set that ships with the package, and its manifest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events.coding.evaluation.gold import read_gold
from adverse_events.coding.evaluation.splits import read_manifest
from adverse_events.errors import ContractError

if TYPE_CHECKING:
    from adverse_events.coding.evaluation.gold import GoldPost
    from adverse_events.coding.evaluation.splits import Manifest

_DATA = Path(__file__).with_name("data")
GOLD, MANIFEST, PROBE = _DATA / "gold.csv", _DATA / "manifest.json", _DATA / "probe.csv"

FREEZE = "python -m adverse_events.coding.evaluation.freeze"


def load_shipped() -> tuple[list[GoldPost], Manifest]:
    """Return the shipped gold set and its manifest.

    Raises:
        ContractError: A file cannot be used, or the gold set was changed without being frozen again.
    """
    manifest = read_manifest(MANIFEST)
    if hashlib.sha256(GOLD.read_bytes()).hexdigest() != manifest.gold_sha256:
        raise ContractError(MANIFEST.name, f"it was made for another {GOLD.name}; freeze it again: {FREEZE}")
    return read_gold(GOLD), manifest
