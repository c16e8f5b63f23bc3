"""What made the data of a window, apart from the posts themselves."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

_LATER = frozenset({"search", "gazetteer"})


@dataclass(frozen=True)
class Provenance:
    """Versions and choices in force during a run; written beside the rows and into every receipt.

    Attributes:
        screening: Screening settings, as JSON with sorted keys.
        search: What was asked of a source that finds posts by query; empty for one that holds them.
        gazetteer: Version of the names of places, in case mode; empty where no place is looked up.
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
    gazetteer: str = ""

    @property
    def recipe_sha256(self) -> str:
        """Hash of all of it: two windows with one recipe and the same posts hold the same data."""
        # Where these are empty, a recipe is what it was before there were any: lakes made then stay up to date.
        made_of = {name: value for name, value in asdict(self).items() if name not in _LATER or value}
        return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
