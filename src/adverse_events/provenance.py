"""What made the data of a window, apart from the posts themselves."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Provenance:
    """Versions and choices in force during a run; written beside the rows and into every receipt.

    Attributes:
        screening: Screening settings, as JSON with sorted keys.
        search: What was asked of a source that finds posts by query; empty for one that holds them.
    """

    model_version: str
    ade_threshold: float
    lexicon_version: str
    coder_version: str
    icd10cm_release: str
    code_version: str
    privacy_mode: str
    keep_text: str
    screening: str
    coding: str
    search: str = ""

    @property
    def recipe_sha256(self) -> str:
        """Hash of all of it: two windows with one recipe and the same posts hold the same data."""
        # A file's recipe is what it was before there were queries: lakes made then stay up to date.
        made_of = {name: value for name, value in asdict(self).items() if name != "search" or value}
        return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
