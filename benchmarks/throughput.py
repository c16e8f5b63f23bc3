"""Posts per second: the detect flow against the reference loop, in one process, from the same archive to files.

Rounds alternate between the two, so that a machine that slows down slows both. The reference takes a third of the
posts in each of its three rounds, every post once; the flow takes the whole archive in each of its own.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from adverse_events import assembly
from adverse_events.classification.classify import DIGITS
from adverse_events.classification.model_folder import read_manifest, starter_model
from adverse_events.lake.query import query
from adverse_events.settings import load_settings
from benchmarks.posts import SEED, write_archive
from benchmarks.reference_loop import LoopRun, ReferenceLoop
from benchmarks.reference_model import PADDED_LENGTH, check_same_weights, load_reference, token_counter
from flows.detect import detect_adverse_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

N_POSTS = 3000
ROUNDS = 3
N_WARM_UP = 40
"""Posts both sides take before the clock runs, for loading a model is `cold_start`'s business. On their texts the
rebuilt reference must equal the shipped float32 graph."""

LEAST_RATIO, LEAST_EQUAL = 6.0, 0.995


@dataclass(frozen=True)
class FlowRound:
    """One run of the flow.

    Attributes:
        seconds: Wall time of the whole run.
        n_read: Posts read.
        n_scored: Posts classified, by the lake.
        stations: Seconds by station, from the receipts; reading the archive and writing the lake are not among them.
    """

    seconds: float
    n_read: int
    n_scored: int
    stations: dict[str, float]


@dataclass(frozen=True)
class Decision:
    """What the flow decided about one post."""

    text: str
    is_ade: bool


def throughput(n_posts: int = N_POSTS, seed: int = SEED) -> dict[str, Any]:
    """Measure both and compare them.

    Args:
        n_posts: Posts in the archive, `N_WARM_UP` or more.
        seed: Of the generated posts.

    Returns:
        What `docs/benchmarks.md` describes, as JSON values. Speeds are medians over the rounds.

    Raises:
        ContractError: The reference is not the shipped model.
    """
    with tempfile.TemporaryDirectory(prefix="ade-bench-") as name:
        folder = Path(name)
        archive = write_archive(folder / "posts.jsonl", n_posts, seed)
        lines = archive.read_text(encoding="utf-8").splitlines()
        model = load_reference(starter_model())
        output = folder / "loop"
        output.mkdir()
        loop = ReferenceLoop(model, read_manifest(starter_model()).ade_threshold, assembly.embedded_coder(), output)
        warm_up = folder / "warm-up.jsonl"
        warm_up.write_text("\n".join(lines[:N_WARM_UP]), encoding="utf-8")
        run_flow(warm_up, folder / "warm-up")
        warm = loop.run(lines[:N_WARM_UP])
        check_same_weights(model, starter_model(), [scored.text for scored in warm.scored.values()])

        rounds: list[tuple[LoopRun, FlowRound]] = []
        for number in range(ROUNDS):
            reference = loop.run(lines[number::ROUNDS])
            rounds.append((reference, run_flow(archive, folder / f"lake-{number}")))
        loops, flows = zip(*rounds, strict=True)
        return {
            "reference": model.kind,
            "posts": n_posts,
            "seed": seed,
            "rounds": ROUNDS,
            "reference_loop": _loop_speeds(loops),
            "flow": _flow_speeds(flows),
            "ratio": _ratios(rounds),
            "equal_decisions": _equal_decisions(loops, decisions_in(folder / "lake-0"), loop.ade_threshold),
            "bar": {"posts_classified_ratio": LEAST_RATIO, "equal_decisions": LEAST_EQUAL},
        }


def run_flow(source: Path, lake: Path) -> FlowRound:
    """Run the detect flow in place, with its default settings, and time it."""
    started = time.perf_counter()
    account = detect_adverse_events.fn(source=str(source), lake=str(lake))
    seconds = time.perf_counter() - started
    # Every window of a batch carries that batch's durations.
    batches = query(lake, "SELECT DISTINCT durations FROM receipts").column("durations").to_pylist()
    stations: dict[str, float] = {}
    for batch in batches:
        for entry in batch:
            stations[entry["station"]] = stations.get(entry["station"], 0.0) + entry["seconds"]
    return FlowRound(seconds, account.rows_read, account.rows_assessed, stations)


def decisions_in(lake: Path) -> dict[str, Decision]:
    """Return the flow's decisions by the id that the lake stores."""
    rows = query(lake, "SELECT tweet_id, text, is_ade FROM assessments").to_pylist()
    return {row["tweet_id"]: Decision(row["text"], row["is_ade"]) for row in rows}


def stored_ids(tweet_ids: Iterable[str]) -> list[str]:
    """Return the ids under which `run_flow` stores posts, same order: the hashes that this user's key gives."""
    key = assembly.identity_key_for(load_settings())
    return [key.pseudonym(tweet_id, "tweet") for tweet_id in tweet_ids]


def _loop_speeds(runs: Sequence[LoopRun]) -> dict[str, Any]:
    return {
        "posts_read": sum(run.n_read for run in runs),
        "posts_classified": sum(len(run.scored) for run in runs),
        "posts_read_per_s": median(run.n_read / run.seconds for run in runs),
        "posts_classified_per_s": median(len(run.scored) / run.seconds for run in runs),
        "classifier_alone_per_s": median(len(run.scored) / run.model_seconds for run in runs),
    }


def _flow_speeds(runs: Sequence[FlowRound]) -> dict[str, Any]:
    stations = {name: median(run.stations[name] for run in runs) for name in runs[0].stations}
    return {
        "posts_read": runs[0].n_read,
        "posts_classified": runs[0].n_scored,
        "posts_read_per_s": median(run.n_read / run.seconds for run in runs),
        "posts_classified_per_s": median(run.n_scored / run.seconds for run in runs),
        "classifier_alone_per_s": median(run.n_scored / run.stations["classify"] for run in runs),
        "seconds": median(run.seconds for run in runs),
        "station_seconds": {
            **stations,
            "fetch, write and report": median(run.seconds - sum(run.stations.values()) for run in runs),
        },
        "share_outside_classifier": median(1 - run.stations["classify"] / run.seconds for run in runs),
    }


def _ratios(rounds: Sequence[tuple[LoopRun, FlowRound]]) -> dict[str, Any]:
    """Return flow over reference, each ratio taken inside a round.

    Posts classified per second compares like with like: whole path over whole path, each per post it scored. Posts
    read per second also counts what the flow saves by screening out posts that the reference scores.
    """
    classified = [(f.n_scored / f.seconds) / (len(r.scored) / r.seconds) for r, f in rounds]
    return {
        "posts_classified": median(classified),
        "posts_classified_lowest_round": min(classified),
        "posts_classified_highest_round": max(classified),
        "posts_read": median((f.n_read / f.seconds) / (r.n_read / r.seconds) for r, f in rounds),
        "classifier_alone": median(
            (f.n_scored / f.stations["classify"]) / (len(r.scored) / r.model_seconds) for r, f in rounds
        ),
    }


def _equal_decisions(
    loops: Sequence[LoopRun],
    decisions: Mapping[str, Decision],
    ade_threshold: float,
) -> dict[str, Any]:
    """Compare the decisions on the posts that both classified: all, and those that the reference read whole."""
    n_tokens = token_counter(starter_model())
    short: list[bool] = []
    long: list[bool] = []
    reference = {tweet_id: scored for run in loops for tweet_id, scored in run.scored.items()}
    for tweet_id, scored in zip(stored_ids(reference), reference.values(), strict=True):
        decision = decisions.get(tweet_id)
        if decision:
            compared = short if n_tokens(scored.text) <= PADDED_LENGTH else long
            compared.append((round(scored.ade_probability, DIGITS) >= ade_threshold) == decision.is_ade)
    return {
        "posts": len(short) + len(long),
        "share": _share([*short, *long]),
        f"posts_of_at_most_{PADDED_LENGTH}_tokens": len(short),
        f"share_of_at_most_{PADDED_LENGTH}_tokens": _share(short),
        "share_of_longer": _share(long),
    }


def _share(equal: Sequence[bool]) -> float | None:
    """Return the share of equal decisions, 0-1; None where nothing was compared."""
    return sum(equal) / len(equal) if equal else None
