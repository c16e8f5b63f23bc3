"""Send the probes: each by itself, as a post that has just come in, so that the time of one post is measured."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

from adverse_events.classification.classify import ade_probability, decision_limit, is_probability
from adverse_events.coding.select import counted_codes
from adverse_events.errors import ContractError
from adverse_events.flight.record import Answer, Flight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.classification.classify import ClassifierSettings
    from adverse_events.classification.protocol import Classifier
    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.coding.select import CodingSettings
    from adverse_events.flight.probes import Probe
    from adverse_events.screening.drugs import DrugLexicon


def fly(
    probes: Sequence[Probe],
    classifier: Classifier,
    coder: ConditionCoder,
    lexicon: DrugLexicon,
    classification: ClassifierSettings,
    coding: CodingSettings,
) -> Flight:
    """Send the probes and return what came back.

    The coder is asked about the probes that are ADE, whatever the classifier said, so that one that is down does not
    hide behind the other. The first answer of each is not timed: it may have had to wake up.

    Raises:
        ServiceError: A remote part does not answer.
        ContractError: Its answers break the contract.
    """
    limit = decision_limit(classifier, classification)
    _score(classifier, probes[0].text)
    coder.code(["none"], [[]])
    answers, classify_s, code_s = {}, [], []
    for probe in probes:
        began = time.perf_counter()
        probability = _score(classifier, probe.text)
        classify_s.append(time.perf_counter() - began)
        codes: tuple[str, ...] = ()
        if probe.is_ade:
            began = time.perf_counter()
            (coded,) = coder.code([probe.text], [lexicon.find(probe.text)])
            code_s.append(time.perf_counter() - began)
            codes = tuple(code for code in counted_codes(coded.entities, coding) if code)
        is_ade = probability is not None and probability >= limit
        answers[probe.name] = Answer(ade_probability=probability, is_ade=is_ade, icd10cm_codes=codes)
    return Flight(
        model_version=classifier.model_version,
        ade_threshold=limit,
        coder_version=coder.coder_version,
        icd10cm_release=coder.icd10cm_release,
        lexicon_version=lexicon.version,
        classify_s=median(classify_s),
        code_s=median(code_s),
        answers=answers,
    )


def _score(classifier: Classifier, text: str) -> float | None:
    (scored,) = classifier.score([[text]])
    if len(scored.probabilities) != 1:
        raise ContractError(classifier.model_version, f"{len(scored.probabilities)} scores came back for one post")
    if not is_probability(scored.probabilities)[0]:
        return None
    return float(ade_probability(scored.probabilities)[0])
