"""The embedded coder alone: posts per second on one core, start, memory, and the same bytes whatever the hash seed.

Each measurement runs in a process of its own that has nothing but the coder (`coder_process`). The posts are those of
the sample generator, which the lexicon's writers know, and those of the gold set, which they do not.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from adverse_events import assembly
from adverse_events.coding.evaluation.shipped import load_shipped
from adverse_events.sample.generate import generate
from benchmarks.fresh_process import json_of, run_fresh
from benchmarks.posts import SEED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

N_POSTS = 30_000
ROUNDS = 3
HASH_SEEDS = ("0", "1", "4242", "random")

LEAST_POSTS_PER_S, MOST_MEGABYTES, MOST_START_SECONDS = 8000.0, 150.0, 0.3

_MEGABYTE = 1e6


def coder(
    n_posts: int = N_POSTS, seed: int = SEED, *, n_rounds: int = ROUNDS, hash_seeds: Sequence[str] = HASH_SEEDS
) -> dict[str, Any]:
    """Measure the embedded coder.

    Args:
        n_posts: Generated posts, shared out among the rounds.
        seed: Of the generated posts.
        n_rounds: Rounds; each codes its own share of the posts in a new process.
        hash_seeds: Values of ``PYTHONHASHSEED`` under which the gold posts must get the same bytes.

    Returns:
        What `docs/benchmarks.md` describes, as JSON values; megabytes are 10^6 bytes.

    Raises:
        BenchmarkError: A process failed.
    """
    with tempfile.TemporaryDirectory(prefix="ade-bench-") as name:
        folder = Path(name)
        generated = [post.text for post in generate(n_posts, seed)]
        gold = write_posts(folder / "gold.jsonl", (post.text for post in load_shipped()[0]))
        shares = [write_posts(folder / f"{n}.jsonl", generated[n::n_rounds]) for n in range(n_rounds)]
        rounds = [_measured(posts, folder / "home") for posts in shares]
        on_gold = [_measured(gold, folder / "home", PYTHONHASHSEED=number) for number in hash_seeds]
    return {
        "posts": n_posts,
        "rounds": n_rounds,
        "coder_version": on_gold[0]["coder_version"],
        "posts_per_s": median(run["posts_per_s"] for run in rounds),
        "posts_per_core_s": median(run["posts_per_core_s"] for run in rounds),
        "gold_posts_per_core_s": median(run["posts_per_core_s"] for run in on_gold),
        "substring_loop_posts_per_core_s": median(run["substring_loop_posts_per_core_s"] for run in rounds),
        "ratio_to_substring_loop": median(
            run["posts_per_core_s"] / run["substring_loop_posts_per_core_s"] for run in rounds
        ),
        "lookup_alone_posts_per_core_s": median(run["lookup_alone_posts_per_core_s"] for run in rounds),
        "share_of_lookup_alone": median(
            run["posts_per_core_s"] / run["lookup_alone_posts_per_core_s"] for run in rounds
        ),
        "load_seconds": median(run["load_seconds"] for run in rounds),
        "load_core_seconds": median(run["load_core_seconds"] for run in rounds),
        "import_and_load_seconds": median(run["import_and_load_seconds"] for run in rounds),
        "peak_megabytes": max(run["peak_bytes"] for run in rounds) / _MEGABYTE,
        "equal_under_hash_seeds": {
            "seeds": ", ".join(hash_seeds),
            "is_equal": len({run["answers_sha256"] for run in on_gold}) == 1,
        },
        "bar": {
            "posts_per_core_s": LEAST_POSTS_PER_S,
            "peak_megabytes": MOST_MEGABYTES,
            "load_core_seconds": MOST_START_SECONDS,
        },
    }


def write_posts(path: Path, texts: Iterable[str]) -> Path:
    """Write each text with the drugs that screening finds in it, one JSON object per line, and return `path`."""
    drugs = assembly.lexicon()
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        for text in texts:
            found = [[drug.mention, drug.begin, drug.end, drug.ingredient] for drug in drugs.find(text)]
            lines.write(f"{json.dumps({'text': text, 'drugs': found})}\n")
    return path


def _measured(posts: Path, home: Path, **variables: str) -> Mapping[str, Any]:
    """Return what `coder_process` prints about `posts`."""
    arguments: Sequence[str] = ["-m", "benchmarks.coder_process", str(posts)]
    _, printed = run_fresh(arguments, home, **variables)
    measured: Mapping[str, Any] = json_of(printed)
    return measured
