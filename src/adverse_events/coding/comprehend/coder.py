"""The coder that asks Amazon Comprehend Medical, and adds what the service has no name for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adverse_events.coding.comprehend.answers import Answer, Answers
from adverse_events.coding.comprehend.cache import AnswerCache
from adverse_events.coding.comprehend.operation import DETECT_ENTITIES, INFER_ICD10CM, SERVICE, Operation
from adverse_events.coding.comprehend.roles import LocalRules
from adverse_events.errors import ContractError
from adverse_events.records import Coding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.aws.session import Cloud
    from adverse_events.coding.comprehend.settings import ComprehendSettings
    from adverse_events.records import DrugMention, Entity


class ComprehendCoder:
    """Codes conditions with InferICD10CM, and DetectEntitiesV2 where set (a `ConditionCoder`).

    Spans, scores, codes and the traits the service has a name for are the service's; roles, PAST_HISTORY and
    adverse-effect codes are the embedded coder's rules (`LocalRules`). Only the text of a post is sent, nothing else
    of it.

    Args:
        region: Where the service is asked.
        settings: How.
        conditions: Answers of InferICD10CM.
        types: Answers of DetectEntitiesV2; None where it is not asked.
        rules: What is added.
        coder_version: Of service, settings that change results, rules and lexicon.
    """

    def __init__(
        self,
        region: str,
        settings: ComprehendSettings,
        conditions: Answers,
        types: Answers | None,
        rules: LocalRules,
        coder_version: str,
    ) -> None:
        """Put the parts together; `open` finds them."""
        names = [kind.name for kind in (INFER_ICD10CM, *([DETECT_ENTITIES] if types else []))]
        self.coder_version = coder_version
        self.icd10cm_release = settings.icd10cm_release
        self.served_by = f"{SERVICE} {' and '.join(names)} in {region}"
        self._conditions, self._types, self._rules = conditions, types, rules

    @classmethod
    def open(cls, cloud: Cloud, settings: ComprehendSettings) -> ComprehendCoder:
        """Reach the service: one request of our own words per operation tells its model's version.

        Raises:
            PermanentServiceError: No permission, no credentials, or no such service in this region.
            TransientServiceError: The service does not answer.
            ContractError: What answers is not the service, or the cache is damaged.
            UsageError: The cache cannot be opened.
        """
        rules = LocalRules.load()
        cache = AnswerCache(settings.cache) if settings.cache else None
        icd10cm = Operation(INFER_ICD10CM, cloud, settings)
        detect = Operation(DETECT_ENTITIES, cloud, settings) if settings.detect_entities else None
        together = (settings.requests_in_flight, settings.posts_per_request, cache)
        version = f"comprehend-medical-{icd10cm.model_version}+{rules.version}"
        version += f"+entities-{detect.model_version}" if detect else ""
        version += f"+packed{settings.posts_per_request}" if settings.posts_per_request > 1 else ""
        types = Answers(detect, *together) if detect else None
        return cls(cloud.region, settings, Answers(icd10cm, *together), types, rules, version)

    def code(self, texts: Sequence[str], drug_mentions: Sequence[Sequence[DrugMention]]) -> list[Coding]:
        """Find the conditions of each text; see `ConditionCoder.code`.

        Equal texts are asked about once; the first of them bears the units.
        """
        if len(texts) != len(drug_mentions):
            raise ContractError("coding", f"{len(texts)} texts but drug mentions of {len(drug_mentions)}")
        told = self._conditions.of(texts)
        typed = self._types.of(text for text, answer in told.items() if answer.entities) if self._types else {}
        codings: list[Coding] = []
        charged: set[str] = set()
        for text, drugs in zip(texts, drug_mentions, strict=True):
            conditions, types = told[text], typed.get(text, Answer())
            billed = {} if text in charged else _billed(conditions, types)
            charged.add(text)
            refusal = conditions.refusal or types.refusal
            if refusal:
                codings.append(Coding((), refusal, billed))
                continue
            found = self._rules.complete(text, drugs, _typed(conditions.entities, types.entities))
            tells = self._rules.told(text, drugs, found)
            if tells.is_improper_use:
                found = tuple(replace(entity, cause_code=None) for entity in found)
            codings.append(Coding(found, None, billed, tells.seriousness, tells.special_situations))
        return codings


def _billed(conditions: Answer, types: Answer) -> dict[str, int]:
    n_units = {INFER_ICD10CM.name: conditions.n_units, DETECT_ENTITIES.name: types.n_units}
    return {f"{SERVICE}:{name}": n for name, n in n_units.items() if n}


def _typed(conditions: Sequence[Entity], detected: Sequence[Entity]) -> list[Entity]:
    """Return `conditions`, each with category and type of the detected condition that it overlaps most, if any.

    Of two that overlap as much, the better scored and then the earlier one says.
    """
    typed = []
    for condition in conditions:
        touching = [other for other in detected if _overlap(condition, other) > 0]
        best = max(touching, key=lambda other: (_overlap(condition, other), other.score, -other.begin), default=None)
        typed.append(replace(condition, category=best.category, type=best.type) if best else condition)
    return typed


def _overlap(one: Entity, other: Entity) -> int:
    return min(one.end, other.end) - max(one.begin, other.begin)
