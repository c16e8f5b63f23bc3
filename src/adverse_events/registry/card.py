"""The card of a model: Markdown made from its manifest, its evaluations and the notes of its training, never by hand.

The same inputs always give the same bytes: no clock, no path, no machine is in it. The last line holds a hash of all
that stands above it, so that an edited card is found even where the inputs are not at hand.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from adverse_events.errors import ContractError, UsageError
from adverse_events.registry.evaluation import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from adverse_events.classification.model_folder import ModelManifest
    from adverse_events.registry.evaluation import Evaluation, Interval, Scores

_SEAL = re.compile(r"<!-- sha256 of the lines above: ([0-9a-f]{64}) -->\n\Z")

_REMEDY = "make it again with ade models card; what you want to say belongs in the notes"


@dataclass(frozen=True)
class _File:
    """One file of the corpus the model was trained on."""

    name: str
    n_rows: int | None
    labels: str
    sha256: str


def render(manifest: ModelManifest, evaluations: Sequence[Evaluation], notes: str = "") -> str:
    """Return the card.

    Args:
        manifest: The model's manifest.
        evaluations: Its evaluations, in any order, at least one.
        notes: What its training has to say, Markdown, taken in as it stands; empty leaves the chapter out.

    Raises:
        UsageError: No evaluation.
        ContractError: An evaluation of another model.
    """
    if not evaluations:
        msg = "a card needs an evaluation; ade evaluate MODEL DATA --json writes one"
        raise UsageError(msg)
    for evaluation in evaluations:
        if evaluation.model.version != manifest.version:
            detail = f"is of {evaluation.model.version}, not of {manifest.version}; evaluate the model itself"
            raise ContractError(evaluation.data.name, f"the evaluation {detail}")
    environment = Environment(
        loader=PackageLoader("adverse_events.registry"),
        autoescape=False,  # noqa: S701 - Markdown, not HTML; cells are escaped by `cell`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"cell": _cell, "share": _share, "scored": _scored}
    ordered = sorted(evaluations, key=lambda each: (each.data.name, each.data.sha256))
    body = environment.get_template("card.md.j2").render(
        manifest=manifest,
        # Thresholds of every class and the temperature, where the model has them.
        thresholds=getattr(manifest, "thresholds", None) or {},
        temperature=getattr(manifest, "temperature", None),
        files=_files(manifest.data),
        sources=_sources(manifest.data),
        dropped=_dropped(manifest.data),
        evaluations=ordered,
        many=len(ordered) > 1,
        extremes=_extremes(ordered),
        agreement=_agreement(manifest.scores),
        training_command=_training_command(manifest.recipe),
        notes=notes.strip("\n"),
    )
    return f"{body}<!-- sha256 of the lines above: {sha256_of(body.encode())} -->\n"


def check(card: Path, expected: str | None = None) -> None:
    """Refuse a card that was edited by hand, or that is not what its inputs give.

    Args:
        card: A card.
        expected: What `render` makes of the inputs; None where they are not at hand.

    Raises:
        UsageError: There is no such card.
        ContractError: It is not as it was made, with the first line that differs where that is known.
    """
    if not card.is_file():
        msg = f"{card}: no such card"
        raise UsageError(msg)
    found = card.read_bytes().decode(errors="replace")
    seal = _SEAL.search(found)
    if seal is None or sha256_of(found[: seal.start()].encode()) != seal.group(1):
        raise ContractError(str(card), f"was edited by hand; {_REMEDY}")
    if expected is not None and found != expected:
        line = next(
            (
                number
                for number, (one, other) in enumerate(
                    zip(found.splitlines(), expected.splitlines(), strict=False), start=1
                )
                if one != other
            ),
            min(found.count("\n"), expected.count("\n")) + 1,
        )
        raise ContractError(str(card), f"line {line} is not what the model and its evaluations say; {_REMEDY}")


def _files(data: Mapping[str, Any]) -> list[_File]:
    """Return the files of the corpus, of either form of its manifest."""
    named = data["files"] if isinstance(data.get("files"), dict) else data
    return [
        _file(name, facts) for name, facts in sorted(named.items()) if isinstance(facts, dict) and "sha256" in facts
    ]


def _file(name: str, facts: Mapping[str, Any]) -> _File:
    by_label = facts.get("by_label")
    if isinstance(by_label, dict):
        labels = ", ".join(f"{label} {n:,}" for label, n in by_label.items())
    else:
        labels = f"{facts['n_positive']:,} positive" if "n_positive" in facts else "-"
    return _File(name, facts.get("n_rows"), labels, str(facts["sha256"]))


def _sources(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = data.get("sources")
    pairs = sorted(found.items()) if isinstance(found, dict) else []
    return {name: facts for name, facts in pairs if isinstance(facts, dict)}


def _dropped(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = data.get("dropped")
    if not isinstance(found, dict):
        return []
    lines = ((name, _counts(counts)) for name, counts in sorted(found.items()) if isinstance(counts, dict))
    return [(name, text) for name, text in lines if text]


def _counts(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {n:,}" for key, n in counts.items() if isinstance(n, int) and n)


def _agreement(scores: Mapping[str, Any]) -> dict[str, float]:
    found = scores.get("agreement_with_float32")
    return {k: float(v) for k, v in found.items() if isinstance(v, int | float)} if isinstance(found, dict) else {}


def _extremes(evaluations: Iterable[Evaluation]) -> tuple[tuple[str, float], tuple[str, float]] | None:
    """Return the sources with the lowest and the highest F1; None where fewer than two have one."""
    found = {name: scores.f1 for each in evaluations for name, scores in each.sources.items() if scores.f1 is not None}
    ordered = sorted(found.items(), key=lambda item: (item[1], item[0]))
    return (ordered[0], ordered[-1]) if len(ordered) > 1 else None


def _training_command(recipe: Mapping[str, Any]) -> str:
    """Return the command that trains by `recipe`: the one it names, else every hyperparameter as a flag."""
    if isinstance(recipe.get("command"), str):
        return str(recipe["command"])
    words = ["python -m adverse_events.training.entry_point --train CORPUS/train --validation CORPUS/validation"]
    words.append("--model-dir CHECKPOINT")
    for name, given in sorted(recipe.items()):
        # A weight per name, as --source-weights takes it.
        value = (
            ",".join(f"{key}={each:g}" for key, each in given.items())
            if name == "source_weights" and isinstance(given, dict)
            else given
        )
        flag = f"--{name.replace('_', '-')}"
        if name == "model_name":
            words.append(f"{flag} BASE")
        elif value is True:
            words.append(flag)
        elif value not in (None, "", False) and isinstance(value, str | int | float):
            words.append(f"{flag} {shlex.quote(str(value))}")
    return " \\\n  ".join(words)


def _cell(value: Any) -> str:
    """Return a value as it can stand in a cell of a table: on one line, without a bar."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return " ".join(text.split()).replace("|", "\\|")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _scored(scores: Scores, metric: str) -> str:
    """Return a score with its interval, where it has one."""
    value: float | None = getattr(scores, metric)
    interval: Interval | None = scores.intervals.get(metric)
    if value is None or interval is None:
        return _share(value)
    return f"{value:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"
