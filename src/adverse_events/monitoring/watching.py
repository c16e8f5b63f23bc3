"""Whether the last days are still like the reference, and within bounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from adverse_events.monitoring.measuring import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adverse_events.monitoring.settings import MonitorSettings

DRUGS_APART = 20
"""Ingredients compared one by one, the commonest; the others count as one."""

_BEYOND_CHANCE = 3.0
"""Standard errors between two shares."""

_SMOOTHING = 0.5


class Crossing(BaseModel, frozen=True, extra="forbid"):
    """A bound that was crossed."""

    what: str = Field(description="scores, languages, drugs, positives, volume, rejects, time or cost.")
    value: float = Field(description="What was measured; what it is stands in detail.")
    bound: float
    detail: str = Field(description="In words.")


class Watch(BaseModel, frozen=True, extra="forbid"):
    """Two stretches, what was compared, and what was found."""

    current: Stretch
    reference: Stretch
    values: dict[str, float] = Field(description="What was compared, by name; what could not be is absent.")
    crossings: tuple[Crossing, ...]
    notes: tuple[str, ...] = Field(description="What was not judged, and why.")


def watch(current: Stretch, reference: Stretch, settings: MonitorSettings) -> Watch:
    """Compare two stretches.

    Volume, rejects and cost are judged whatever the number of posts; time, shares and distributions where both
    stretches hold `MonitorSettings.least_posts`.
    """
    values: dict[str, float] = {}
    crossings = list(_bounds(current, reference, settings, values))
    notes = []
    fewest = min(current.rows_assessed, reference.rows_assessed)
    if fewest >= settings.least_posts:
        crossings += _drift(current, reference, settings, values)
        if current.models != reference.models:
            notes.append(f"other models than before: {', '.join(current.models)}, not {', '.join(reference.models)}")
    else:
        notes.append(
            f"scores, languages, drugs, positives and time were not compared: a stretch holds {fewest:,} assessed "
            f"posts, {settings.least_posts:,} are wanted"
        )
    return Watch(current=current, reference=reference, values=values, crossings=tuple(crossings), notes=tuple(notes))


def psi(before: Sequence[float], now: Sequence[float]) -> float:
    """Return the population stability index of two histograms over the same classes.

    The sum over classes of (share now - share before) x ln(share now / share before), with half a post added to each
    class, so that an empty one does not make it infinite. Below 0.1 is usually called stable, above 0.2 a shift.

    Args:
        before: Counts of the reference.
        now: Counts to compare.
    """
    n_before, n_now = (sum(counts) + _SMOOTHING * len(counts) for counts in (before, now))
    total = 0.0
    for one, other in zip(before, now, strict=True):
        was, is_now = (one + _SMOOTHING) / n_before, (other + _SMOOTHING) / n_now
        total += (is_now - was) * math.log(is_now / was)
    return total


def _bounds(
    current: Stretch, reference: Stretch, settings: MonitorSettings, values: dict[str, float]
) -> Iterator[Crossing]:
    if not current.rows_in:
        # However long the silence has lasted: after some weeks the reference is silent too.
        values["volume"] = 0.0
        had = f"{reference.rows_in:,}" if reference.rows_in else "nor"
        detail = f"no inputs in these days, {had} in those before"
        yield Crossing(what="volume", value=0.0, bound=settings.max_volume_change, detail=detail)
        return
    if reference.rows_in:
        # A lake that is younger than the reference is long had fewer days to fill.
        per_day = current.rows_in / current.days, reference.rows_in / reference.days_covered
        values["volume"] = per_day[0] / per_day[1]
        if max(_ratio(*per_day), _ratio(*reversed(per_day))) > settings.max_volume_change:
            detail = f"{per_day[0]:,.0f} inputs a day, {per_day[1]:,.0f} before"
            yield Crossing(what="volume", value=values["volume"], bound=settings.max_volume_change, detail=detail)
    values["rejects"] = current.rows_rejected / current.rows_in
    if values["rejects"] > settings.max_rejected:
        detail = f"{current.rows_rejected:,} of {current.rows_in:,} inputs rejected"
        yield Crossing(what="rejects", value=values["rejects"], bound=settings.max_rejected, detail=detail)
    now = 1000 * current.seconds / current.rows_in
    # What a batch takes whatever it holds would be all there is of a few inputs' time.
    if min(current.rows_in, reference.rows_in) >= settings.least_posts and reference.seconds:
        before = 1000 * reference.seconds / reference.rows_in
        values["time"] = now / before
        if values["time"] > settings.max_slower:
            detail = f"1,000 inputs took {now:.1f} s, {before:.1f} s before"
            yield Crossing(what="time", value=values["time"], bound=settings.max_slower, detail=detail)
    values["cost"] = 1000 * current.n_units * settings.usd_per_unit / current.rows_in
    if settings.max_usd is not None and values["cost"] > settings.max_usd:
        detail = f"coding 1,000 inputs cost {values['cost']:.3f} USD"
        yield Crossing(what="cost", value=values["cost"], bound=settings.max_usd, detail=detail)


def _drift(
    current: Stretch, reference: Stretch, settings: MonitorSettings, values: dict[str, float]
) -> Iterator[Crossing]:
    languages = sorted({*current.languages, *reference.languages})
    drugs = sorted(reference.drugs, key=lambda name: (-reference.drugs[name], name))[:DRUGS_APART]
    histograms = {
        "scores": (reference.scores, current.scores),
        "languages": (_counts(reference.languages, languages), _counts(current.languages, languages)),
        "drugs": (_with_others(reference.drugs, drugs), _with_others(current.drugs, drugs)),
    }
    for what, (before, now) in histograms.items():
        values[what] = psi(before, now)
        if values[what] > settings.max_psi:
            yield Crossing(
                what=what, value=values[what], bound=settings.max_psi, detail=f"the mix of {what} is another one"
            )
    before_share, share = _share(reference), _share(current)
    pooled = (reference.rows_positive + current.rows_positive) / (reference.rows_assessed + current.rows_assessed)
    error = math.sqrt(pooled * (1 - pooled) * (1 / reference.rows_assessed + 1 / current.rows_assessed))
    values["positives"] = share
    factor = max(_ratio(share, before_share), _ratio(before_share, share))
    if factor > settings.max_rate_change and abs(share - before_share) > _BEYOND_CHANCE * error:
        detail = f"{share:.3f} of the posts are positive, {before_share:.3f} before"
        yield Crossing(what="positives", value=share, bound=settings.max_rate_change, detail=detail)


def _share(stretch: Stretch) -> float:
    return stretch.rows_positive / stretch.rows_assessed


def _ratio(one: float, other: float) -> float:
    if other:
        return one / other
    return math.inf if one else 1.0


def _counts(by_name: Mapping[str, int], names: Sequence[str]) -> list[int]:
    return [by_name.get(name, 0) for name in names]


def _with_others(by_name: Mapping[str, int], names: Sequence[str]) -> list[int]:
    apart = _counts(by_name, names)
    return [*apart, sum(by_name.values()) - sum(apart)]
