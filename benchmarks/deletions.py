"""A long deletion list against a lake of thousands of windows: ``python benchmarks/deletions.py [IDS] [WINDOWS]``.

Made-up posts in a lake in a temporary folder; a handful of the listed ids are in it. Says how long each step takes, and
which windows were touched.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from adverse_events.compliance.comply import comply
from adverse_events.compliance.lists import read_lists
from adverse_events.lake import LocalLake
from adverse_events.privacy import IdentityKey
from tests.staged_batches import LAKE, PROVENANCE, coded_row, hours, stage

POSTS_PER_WINDOW = 20
HITS = 50


def main(n_ids: int, n_windows: int) -> dict[str, object]:
    """Measure and return the figures."""
    key = IdentityKey(b"0123456789abcdef0123456789abcdef")
    found: dict[str, object] = {"ids": n_ids, "windows": n_windows, "posts": n_windows * POSTS_PER_WINDOW}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lake = LocalLake.open(root / "lake", **LAKE)
        windows = hours(n_windows)
        for begin in range(0, n_windows, 500):
            rows = {
                window: [
                    {**coded_row(window, n), "tweet_id": key.tweet_hash(f"{begin + index}-{n}")}
                    for n in range(POSTS_PER_WINDOW)
                ]
                for index, window in enumerate(windows[begin : begin + 500])
            }
            lake.write(stage(root / f"staged{begin}", rows), PROVENANCE)
        draw = random.Random(1)  # noqa: S311 - which posts are hit, not a secret
        hits = [f"{index}-{draw.randrange(POSTS_PER_WINDOW)}" for index in draw.sample(range(n_windows), HITS)]
        listed = root / "gone.txt"
        ids = [str(10**18 + number) for number in range(n_ids - HITS)] + hits
        draw.shuffle(ids)
        listed.write_text("\n".join(ids))
        before = {path: path.stat().st_mtime_ns for path in (root / "lake").rglob("*.parquet")}
        for name in ("first", "again"):
            began = time.perf_counter()
            deletions = read_lists([listed], key.tweet_hash, reason="deleted")
            read = time.perf_counter()
            account = comply(lake, deletions.rows)
            done = time.perf_counter()
            found[f"{name}_read_and_hash_s"], found[f"{name}_comply_s"] = round(read - began, 1), round(done - read, 1)
            found[f"{name}_windows_rewritten"], found[f"{name}_rows_deleted"] = (
                len(account.forgotten),
                sum(account.by_reason.values()),
            )
        after = {path: path.stat().st_mtime_ns for path in (root / "lake").rglob("*.parquet")}
        changed = {path.parent for path in before.keys() & after.keys() if before[path] != after[path]}
        found["partitions_changed"] = len({path for path in changed if "assessments" in path.parts})
        n_bytes = sum(path.stat().st_size for path in (root / "lake" / "_suppressed").iterdir())
        found["list_mb"] = round(n_bytes / 1e6, 1)
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    print(json.dumps(main(*(given or [1_000_000, 5_000])), indent=2))
