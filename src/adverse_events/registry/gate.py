"""The gate: a candidate replaces the champion only where it is not worse beyond noise on any source.

Every check leaves a reason, passed or not. Checked are: the classes (equal), the decision limits (inside 0-1, and those
the evaluation went by), the agreement of int8 with float32, F1 and average precision by source (`registry.noise`) and
against their bars, calibration by source against its bar, and every capability against its bar and the champion. The
first champion ever is held against the bars alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.errors import ContractError, UsageError
from adverse_events.registry import noise
from adverse_events.registry.verdict import Contender, GateVerdict, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adverse_events.classification.model_folder import ModelManifest
    from adverse_events.registry.evaluation import CapabilityScore, Evaluation, PairedDifference, Scores
    from adverse_events.registry.settings import GateSettings

_METRICS = {"f1": "F1", "average_precision": "average precision"}

_ROUNDING = 0.005
"""How far a difference may lie from that of the two scores: they are rounded, and a bootstrap has a bias."""


def judge(candidate: Contender, champion: Contender | None, rules: GateSettings) -> GateVerdict:
    """Hold a candidate against the champion, or against the bars alone where there is none yet.

    Raises:
        UsageError: An evaluation is missing: the candidate's, the champion's, or the candidate's on data the champion
            was evaluated on.
        ContractError: Two evaluations of the same data have other sources or rows, or a comparison does not fit the
            scores.
    """
    pairs = _pairs(candidate, champion)
    reasons = (
        *_of_the_model(candidate, champion, rules),
        *(reason for mine, theirs in pairs for reason in _by_source(mine, theirs, rules, is_one=len(pairs) == 1)),
        *_bars(pairs, rules),
        *_capabilities(pairs, rules),
    )
    return GateVerdict(candidate.version, champion.version if champion else None, reasons)


_Pairs = list[tuple["Evaluation", "Evaluation | None"]]


def _pairs(candidate: Contender, champion: Contender | None) -> _Pairs:
    mine = {evaluation.data.sha256: evaluation for evaluation in candidate.evaluations}
    if not mine:
        raise UsageError(_unevaluated(candidate.version, ""))
    if champion is None:
        return [(evaluation, None) for evaluation in mine.values()]
    theirs = {evaluation.data.sha256: evaluation for evaluation in champion.evaluations}
    if not theirs:
        raise UsageError(_unevaluated(champion.version, ""))
    for sha256, evaluation in theirs.items():
        if sha256 not in mine:
            where = f" on {evaluation.data.name} (sha256 {sha256[:12]}...), where the champion was"
            raise UsageError(_unevaluated(candidate.version, where))
    return [(evaluation, theirs.get(sha256)) for sha256, evaluation in mine.items()]


def _unevaluated(version: str, where: str) -> str:
    return (
        f"{version} was not evaluated{where}; ade evaluate MODEL DATA --json writes an evaluation, "
        "ade models register MODEL --evaluation FILE keeps it"
    )


def _check_same_texts(mine: Evaluation, theirs: Evaluation) -> None:
    sizes = [{name: (one.n, one.n_positive) for name, one in each.groups.items()} for each in (mine, theirs)]
    if sizes[0] != sizes[1]:
        differing = sorted(name for name in sizes[0] | sizes[1] if sizes[0].get(name) != sizes[1].get(name))
        detail = (
            f"sources {', '.join(differing)} have other rows or positives for {mine.model.version} than for "
            f"{theirs.model.version}; evaluate both with the same version of ade"
        )
        raise ContractError(mine.data.name, detail)


def _by_source(mine: Evaluation, theirs: Evaluation | None, rules: GateSettings, *, is_one: bool) -> Iterator[Reason]:
    if theirs is not None:
        _check_same_texts(mine, theirs)
    if all(scores.f1 is None for scores in mine.sources.values()):
        text = "nothing was measured: no source has positives"
        yield Reason("F1", mine.data.name, None, None, passed=False, text=text)
    for source, scores in mine.groups.items():
        shown = source if is_one else f"{source} ({mine.data.name})"
        other = theirs.groups[source] if theirs else None
        found = _comparison(mine, theirs, source)
        for metric, named in _METRICS.items():
            passed, text = _against(metric, scores, other, found, rules)
            values = getattr(scores, metric), getattr(other, metric, None)
            yield Reason(named, shown, *values, passed=passed, text=text)
        yield _calibration(shown, scores, other, rules)


def _comparison(mine: Evaluation, theirs: Evaluation | None, source: str) -> PairedDifference | None:
    """Return how the two did text by text, where the candidate was compared with this very champion."""
    comparison = mine.comparison
    if theirs is None or comparison is None or comparison.other != theirs.model.version:
        return None
    found = comparison.sources.get(source)
    if found is None:
        return None
    for metric in _METRICS:
        given, *_ = found.of(metric)
        scores = getattr(mine.groups[source], metric), getattr(theirs.groups[source], metric)
        if given is not None and None not in scores and abs(given - (scores[0] - scores[1])) > _ROUNDING:
            detail = f"comparison, source {source}: {metric} differs by {scores[0] - scores[1]:+.3f}, not {given:+.3f}"
            raise ContractError(mine.data.name, f"{detail}; evaluate both models anew")
    return found


def _against(
    metric: str, scores: Scores, other: Scores | None, found: PairedDifference | None, rules: GateSettings
) -> tuple[bool, str]:
    if other is None:
        return True, "no champion to compare with"
    mine, theirs = getattr(scores, metric), getattr(other, metric)
    if mine is None or theirs is None:
        whose = (
            "neither has" if mine is None and theirs is None else "the champion has" + (" no" if theirs is None else "")
        )
        return theirs is None, f"{whose} a score here"
    value, interval, p_worse = found.of(metric) if found else (None, None, None)
    if value is None:
        intervals = scores.intervals.get(metric), other.intervals.get(metric)
        return _within_noise(noise.unpaired(mine, theirs, *intervals), rules)
    return _within_noise(noise.paired(value, interval, p_worse), rules)


def _within_noise(difference: noise.Difference, rules: GateSettings) -> tuple[bool, str]:
    is_worse = noise.is_worse(difference, margin=rules.margin, probably_worse=rules.probably_worse)
    verdict = "not worse" if difference.value >= 0 else "worse beyond noise" if is_worse else "within noise"
    return not is_worse, f"{verdict}: {difference}"


def _calibration(source: str, scores: Scores, other: Scores | None, rules: GateSettings) -> Reason:
    before = other.ece if other else None
    if scores.ece is None:
        return Reason("ECE", source, None, before, passed=before is None, text="not measured")
    passed = scores.ece <= rules.ece_bar
    text = f"{'at most' if passed else 'above'} the bar of {rules.ece_bar:g}"
    return Reason("ECE", source, scores.ece, before, passed=passed, text=text)


def _bars(pairs: _Pairs, rules: GateSettings) -> Iterator[Reason]:
    bars = {"f1": rules.f1_bars, "average_precision": rules.average_precision_bars}
    for metric, by_source in bars.items():
        for source, bar in by_source.items():
            found = [each.groups[source] for each, _ in pairs if source in each.groups]
            values = [value for each in found if (value := getattr(each, metric)) is not None]
            passed = bool(values) and min(values) >= bar
            text = f"{'at least' if passed else 'below'} the bar of {bar:g}" if values else "not measured"
            yield Reason(f"{_METRICS[metric]} bar", source, min(values, default=None), None, passed=passed, text=text)


def _capabilities(pairs: _Pairs, rules: GateSettings) -> Iterator[Reason]:
    mine = next((each.capabilities.by_capability for each, _ in pairs if each.capabilities), None)
    theirs = next((each.capabilities.by_capability for _, each in pairs if each and each.capabilities), None)
    if mine is None:
        passed = theirs is None and not rules.requires_capabilities
        yield Reason("capability", "", None, None, passed=passed, text="not measured")
        return
    for name in sorted({*mine, *(theirs or {})}):
        yield _capability(name, mine.get(name), (theirs or {}).get(name), rules)


def _capability(name: str, mine: CapabilityScore | None, theirs: CapabilityScore | None, rules: GateSettings) -> Reason:
    before = theirs.accuracy if theirs else None
    if mine is None:
        return Reason("capability", name, None, before, passed=False, text="not measured; the champion was")
    passed, text = True, f"at least the bar of {rules.capability_bar:g}"
    if mine.accuracy < rules.capability_bar:
        passed, text = False, f"below the bar of {rules.capability_bar:g}"
    elif theirs is not None and theirs.n != mine.n:
        passed, text = False, f"{mine.n} cases, the champion had {theirs.n}: evaluate both with the same version of ade"
    elif theirs is not None:
        difference = noise.unpaired(mine.accuracy, theirs.accuracy, mine.interval, theirs.interval)
        passed, text = _within_noise(difference, rules)
    return Reason("capability", name, mine.accuracy, before, passed=passed, text=text)


def _of_the_model(candidate: Contender, champion: Contender | None, rules: GateSettings) -> Iterator[Reason]:
    mine, theirs = candidate.manifest, champion.manifest if champion else None
    labels = ", ".join(mine.labels)
    is_same = theirs is None or mine.labels == theirs.labels
    evaluated = all(each.model.labels == mine.labels for each in candidate.evaluations)
    text = "the same classes in the same order" if is_same else "other classes, or another order, than the champion's"
    yield Reason(
        "labels",
        "",
        labels,
        ", ".join(theirs.labels) if theirs else None,
        passed=is_same and evaluated,
        text=text if evaluated else "evaluated with other classes than the model has",
    )
    yield _limits(candidate, champion)
    agreement, before = _agreement(mine), _agreement(theirs) if theirs else None
    passed = agreement is not None and agreement >= rules.agreement_bar
    bar = f"the bar of {rules.agreement_bar:g}"
    text = f"{'at least' if passed else 'below'} {bar}" if agreement is not None else "model.json does not state it"
    yield Reason("agreement of int8", "", agreement, before, passed=passed, text=text)


def _limits(candidate: Contender, champion: Contender | None) -> Reason:
    mine = candidate.manifest
    # Thresholds of every class, where the model has them.
    thresholds: Mapping[str, float] = getattr(mine, "thresholds", None) or {}
    outside = [f"{value:g}" for value in (mine.ade_threshold, *thresholds.values()) if not 0 < value < 1]
    other = sorted({each.model.ade_threshold for each in candidate.evaluations} - {mine.ade_threshold})
    text = "between 0 and 1, and what it was evaluated at"
    if outside:
        text = f"{', '.join(outside)} decides every post alike"
    elif other:
        text = f"evaluated at {', '.join(f'{each:g}' for each in other)}, which is not what it is served with"
    before = champion.manifest.ade_threshold if champion else None
    return Reason("decision limit", "", mine.ade_threshold, before, passed=not (outside or other), text=text)


def _agreement(manifest: ModelManifest) -> float | None:
    found = manifest.scores.get("agreement_with_float32")
    value = found.get("all") if isinstance(found, dict) else None
    return float(value) if isinstance(value, int | float) else None
