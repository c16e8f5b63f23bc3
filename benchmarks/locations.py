"""Author location: right and wrong on lists of profiles, and speed: ``python benchmarks/locations.py [N]``.

The profiles of ``tests/unit/profiles.tsv`` were written with the rules, those of ``profiles_unseen.tsv`` after them.
Of the made-up ones, two in five are "Town, CODE", one in five a town, one in five from the list, the rest three towns
and a number: most of them distinct, which is the slow case.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from pathlib import Path

from adverse_events.location.gazetteer import Gazetteer
from adverse_events.location.locator import Locator
from adverse_events.location.reading import read_profile

LISTS = Path(__file__).resolve().parents[1] / "tests" / "unit"
PROFILES, UNSEEN = LISTS / "profiles.tsv", LISTS / "profiles_unseen.tsv"


def accuracy(gazetteer: Gazetteer, path: Path) -> dict[str, object]:
    """Return precision and recall by level, on the list in `path`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    found: dict[str, object] = {"profiles": len(rows)}
    for level, name in enumerate(("country", "region", "city"), 1):
        said = [(getattr(read_profile(row[0], gazetteer), name) or "", row[level]) for row in rows]
        n_right = sum(bool(claim) and claim == gold for claim, gold in said)
        found[f"{name}_precision"] = round(n_right / sum(bool(claim) for claim, _ in said), 3)
        found[f"{name}_recall"] = round(n_right / sum(bool(gold) for _, gold in said), 3)
    return found


def speed(gazetteer: Gazetteer, n_texts: int) -> dict[str, object]:
    """Return how fast made-up profiles are read."""
    draw = random.Random(1)  # noqa: S311 - which towns are drawn, not a secret
    towns = [place.city for same in gazetteer.cities.values() for place in same]
    codes = list(gazetteer.region_codes)
    listed = [line.partition("\t")[0] for line in PROFILES.read_text(encoding="utf-8").splitlines()]

    def text() -> str:
        kind = draw.random()
        if kind < 0.4:  # noqa: PLR2004 - shares, see the module's docstring
            return f"{draw.choice(towns)}, {draw.choice(codes)}"
        if kind < 0.6:  # noqa: PLR2004
            return str(draw.choice(towns))
        if kind < 0.8:  # noqa: PLR2004
            return draw.choice(listed)
        return f"{draw.choice(towns)} {draw.choice(towns)} {draw.choice(towns)} {draw.randrange(10**6)}"

    texts = [text() for _ in range(n_texts)]
    began = time.perf_counter()
    Locator(gazetteer).locate([(None, None, each) for each in texts])
    seconds = time.perf_counter() - began
    return {
        "texts": n_texts,
        "distinct": len(set(texts)),
        "seconds": round(seconds, 1),
        "texts_per_second": round(n_texts / seconds),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    names = Gazetteer.load()
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(json.dumps({path.name: accuracy(names, path) for path in (PROFILES, UNSEEN)} | speed(names, n), indent=2))
