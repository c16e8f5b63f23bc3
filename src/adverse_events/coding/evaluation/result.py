"""What an evaluation measured, as records and as JSON values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adverse_events.coding.evaluation.curve import Point
    from adverse_events.coding.evaluation.scores import Score

WITHHELD = "withheld"
"""Stands for a phrase of the unseen split: nobody who improves the coder may read it."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A mention that got a wrong code, or none where one was wanted.

    Attributes:
        split: Split of its phrase.
        phrase: The phrase; `WITHHELD` in the unseen split.
        wanted: Acceptable codes; empty in the unseen split.
        given: The wrong code; None where the coder abstained.
    """

    split: str
    phrase: str
    wanted: tuple[str, ...]
    given: str | None


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """How one condition fared.

    Attributes:
        category: Category of the preferred code, such as R11; ``-`` for mentions that want none.
        mentions: Mentions of it.
        right: Given an acceptable code, or rightly none.
        not_coded: Given none where one was wanted.
        wrong: Given an unacceptable one.
    """

    category: str
    mentions: int
    right: int
    not_coded: int
    wrong: int


@dataclass(frozen=True)
class SplitResult:
    """Scores of one split.

    Attributes:
        mentions: Mentions in it.
        nil: Of these, mentions that want no code.
        scores: Scores by name; see ``docs/coder.md``.
        curve: Risk by coverage.
        mean_risk: Area under the curve over the coverage reached.
    """

    mentions: int
    nil: int
    scores: dict[str, Score]
    curve: list[Point]
    mean_risk: float | None


@dataclass(frozen=True)
class Evaluation:
    """Everything measured.

    Attributes:
        coder_version: The coder.
        icd10cm_release: Release its codes belong to.
        posts: Posts of the gold set.
        posts_without: Posts without any condition.
        unreviewed: Posts nobody read a second time.
        splits: By split, `ALL` included.
        roles: Times a role (outer) was wanted and a role (inner) given, of asserted conditions found in
            the posts held back.
        roles_on_gold_spans: The same where the rules are shown every gold span, whatever the lexicon holds.
        role_scores_on_gold_spans: Role scores of that.
        conditions: One row per category, most mentions first.
        misses: Every miss, seen and dev phrases spelt out.
        baselines: Scores of each baseline by name and split; empty when they were skipped.
        baselines_skipped: Why there are none; empty when there are.
        checks: Other measurements by name.
    """

    coder_version: str
    icd10cm_release: str
    posts: int
    posts_without: int
    unreviewed: int
    splits: dict[str, SplitResult]
    roles: dict[str, dict[str, int]]
    roles_on_gold_spans: dict[str, dict[str, int]]
    role_scores_on_gold_spans: dict[str, Score]
    conditions: list[ConditionRow]
    misses: list[Miss]
    baselines: dict[str, dict[str, SplitResult]] = field(default_factory=dict)
    baselines_skipped: str = ""
    checks: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            **{
                name: getattr(self, name)
                for name in ("coder_version", "icd10cm_release", "posts", "posts_without", "unreviewed")
            },
            "splits": {split: _json(result) for split, result in self.splits.items()},
            "roles": self.roles,
            "roles_on_gold_spans": self.roles_on_gold_spans,
            "role_scores_on_gold_spans": {
                name: score.to_json() for name, score in self.role_scores_on_gold_spans.items()
            },
            "conditions": [asdict(row) for row in self.conditions],
            "misses": [asdict(miss) for miss in self.misses],
            "baselines": {
                name: {split: _json(result) for split, result in splits.items()}
                for name, splits in self.baselines.items()
            },
            "baselines_skipped": self.baselines_skipped,
            "checks": self.checks,
        }


def _json(result: SplitResult) -> dict[str, Any]:
    return {
        "mentions": result.mentions,
        "nil": result.nil,
        "scores": {name: score.to_json() for name, score in result.scores.items()},
        "curve": [{name: round(value, 4) for name, value in asdict(point).items()} for point in result.curve],
        "mean_risk": None if result.mean_risk is None else round(result.mean_risk, 4),
    }
