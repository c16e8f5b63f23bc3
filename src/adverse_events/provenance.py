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

    @property
    def recipe_sha256(self) -> str:
        """Hash of all of it: two windows with one recipe and the same posts hold the same data."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
