"""The whole evaluation: a coder on a gold set, beside the baselines."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from adverse_events.coding.comprehend.roles import LocalRules
from adverse_events.coding.evaluation.baselines import NO_LIMITS, baselines
from adverse_events.coding.evaluation.chapters import CATEGORY_LETTERS
from adverse_events.coding.evaluation.compare import judge
from adverse_events.coding.evaluation.counts import ALL, HELD, count
from adverse_events.coding.evaluation.curve import area, risk_coverage
from adverse_events.coding.evaluation.gold import NO_CODE
from adverse_events.coding.evaluation.result import WITHHELD, ConditionRow, Evaluation, Miss, SplitResult
from adverse_events.coding.evaluation.scores import measure
from adverse_events.coding.evaluation.splits import GROUPS, UNSEEN
from adverse_events.errors import ContractError
from adverse_events.records import Entity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adverse_events.coding.evaluation.compare import Judged, JudgedPost
    from adverse_events.coding.evaluation.counts import Counts
    from adverse_events.coding.evaluation.gold import GoldPost
    from adverse_events.coding.evaluation.scores import Score
    from adverse_events.coding.evaluation.splits import Manifest
    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.coding.select import CodingSettings
    from adverse_events.records import DrugMention


def evaluate(
    posts: Sequence[GoldPost],
    coder: ConditionCoder,
    find_drugs: Callable[[str], list[DrugMention]],
    manifest: Manifest,
    settings: CodingSettings,
) -> Evaluation:
    """Measure `coder` on `posts`.

    Args:
        posts: The gold set.
        coder: Any coder.
        find_drugs: Finds the drugs of a text, as the screening station does.
        manifest: Tells the split of a phrase; what it does not list is `UNLISTED`.
        settings: Score limits.

    Raises:
        ContractError: The coder refused a post of the gold set, or answered for another number of posts.
        ServiceError: A remote coder failed.
    """
    texts = [post.text for post in posts]
    drugs = [find_drugs(text) for text in texts]
    codings = coder.code(texts, drugs)
    refused = [post.line for post, coding in zip(posts, codings, strict=True) if coding.refusal]
    if refused:
        raise ContractError(coder.coder_version, f"it refused the gold post of line {refused[0]}")
    judged = [judge(post, coding.entities, settings) for post, coding in zip(posts, codings, strict=True)]
    counts = count(judged, manifest, settings)
    shown = [_on_gold_spans(post, found, settings) for post, found in zip(posts, drugs, strict=True)]
    shown_counts = count(shown, manifest, settings)[HELD]
    return Evaluation(
        coder_version=coder.coder_version,
        icd10cm_release=coder.icd10cm_release,
        posts=len(posts),
        posts_without=sum(not post.mentions for post in posts),
        unreviewed=sum(not post.is_reviewed for post in posts),
        splits=_split_results(judged, counts, manifest),
        roles=_roles(counts[HELD]),
        roles_on_gold_spans=_roles(shown_counts),
        role_scores_on_gold_spans=_role_scores(shown_counts),
        conditions=_conditions(judged),
        misses=_misses(judged, manifest),
    )


def measure_baselines(posts: Sequence[GoldPost], manifest: Manifest) -> dict[str, dict[str, SplitResult]]:
    """Return the results of each baseline on `posts` by name and split; takes about half a minute.

    Raises:
        ModuleNotFoundError: The official descriptions are not installed.
    """
    results = {}
    for baseline in baselines():
        found = baseline.code(posts)
        judged = [judge(post, entities, NO_LIMITS) for post, entities in zip(posts, found, strict=True)]
        counts = count(judged, manifest, NO_LIMITS)
        results[baseline.name] = _split_results(judged, counts, manifest)
    return results


def _split_results(
    judged: Sequence[JudgedPost], counts: dict[str, Counts], manifest: Manifest
) -> dict[str, SplitResult]:
    """Return the result of every split that has a mention, of the posts held back, and of all together."""
    mentions: defaultdict[str, list[Judged]] = defaultdict(list)
    for post in judged:
        for one in post.mentions:
            for group in manifest.groups_of(one.mention.text):
                mentions[group].append(one)
        mentions[ALL] += post.mentions
        mentions[HELD] += post.mentions if post.post.post_id not in manifest.dev_posts else ()
    results = {}
    for split in (*GROUPS, HELD, ALL):
        if split != ALL and not mentions[split]:
            continue
        curve = risk_coverage(mentions[split])
        results[split] = SplitResult(
            mentions=len(mentions[split]),
            nil=sum(one.mention.is_nil for one in mentions[split]),
            scores=measure(counts[split], is_whole=split in {HELD, ALL}),
            curve=curve,
            mean_risk=area(curve),
        )
    return results


def _on_gold_spans(post: GoldPost, drugs: Sequence[DrugMention], settings: CodingSettings) -> JudgedPost:
    """Judge what the rules say of the gold spans themselves, as they do of a remote coder's."""
    spans = [Entity(mention.text, mention.begin, mention.end, 1.0) for mention in post.mentions]
    return judge(post, LocalRules.load().complete(post.text, drugs, spans), settings)


def _roles(counts: Counts) -> dict[str, dict[str, int]]:
    roles: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name in counts.names:
        if name.startswith("role:") and ">" in name:
            wanted, given = name.removeprefix("role:").split(">")
            roles[wanted][given] = counts.total(name)
    return dict(roles)


def _role_scores(counts: Counts) -> dict[str, Score]:
    return {name: score for name, score in measure(counts, is_whole=True).items() if name.startswith("role")}


def _conditions(judged: Sequence[JudgedPost]) -> list[ConditionRow]:
    by_category: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in (mention for post in judged for mention in post.mentions):
        category = NO_CODE if one.mention.is_nil else one.mention.codes[0][:CATEGORY_LETTERS]
        by_category[category][_fate(one)] += 1
    rows = [
        ConditionRow(category, fates.total(), fates["right"], fates["not_coded"], fates["wrong"])
        for category, fates in by_category.items()
    ]
    return sorted(rows, key=lambda row: (-row.mentions, row.category))


def _fate(one: Judged) -> str:
    if one.is_wrong:
        return "wrong"
    return "right" if one.code or one.mention.may_abstain else "not_coded"


def _misses(judged: Sequence[JudgedPost], manifest: Manifest) -> list[Miss]:
    misses = []
    for one in (mention for post in judged for mention in post.mentions):
        if _fate(one) == "right":
            continue
        split = manifest.split_of(one.mention.text)
        is_withheld = split == UNSEEN
        phrase, wanted = (WITHHELD, ()) if is_withheld else (one.mention.text, one.mention.codes)
        misses.append(Miss(split, phrase, wanted, None if is_withheld else one.code))
    return sorted(misses, key=lambda miss: (miss.split, miss.given is None, miss.phrase.casefold()))
