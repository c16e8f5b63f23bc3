"""The probes: easy posts of the project's own, so that whoever gets them wrong is broken."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Probe:
    """A post whose answer is known.

    Attributes:
        name: What it is called in findings.
        text: The post; the project's own words.
        is_ade: Whether it reports an adverse reaction.
        icd10cm_category: ICD-10-CM category of the reaction, three characters; empty where there is none.
    """

    name: str
    text: str
    is_ade: bool
    icd10cm_category: str


def load_probes() -> tuple[Probe, ...]:
    """Return the bundled probes, half of them ADE."""
    rows = csv.DictReader(io.StringIO((files(__package__) / "probes.csv").read_text(encoding="utf-8"), newline=""))
    return tuple(Probe(row["name"], row["text"], row["label"] == "ADE", row["icd10cm_category"]) for row in rows)
