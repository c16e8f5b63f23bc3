"""The reference the flow is measured against: the row's path of the older AWS sample, written afresh.

One post at a time: the drug names searched as substrings, one model call padded to 64 tokens, the coder for a
positive, one small JSON object. Its defects that cost time but not by design (a user look-up, a model load and
two network calls per post) are left out, so the reference is faster here than it was there.

Source:
    aws-samples/aws-cdk-adverse-event-detection-app (2021), its Lambda function and twelve output columns.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adverse_events.privacy import mask_text
from adverse_events.records import DrugMention
from adverse_events.screening.lexicon_data import read_lexicon

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.records import Entity
    from benchmarks.reference_model import ReferenceModel

MIN_ENTITY_SCORE, MIN_CONCEPT_SCORE = 0.60, 0.70
LABELS = ("Not_AE", "Adverse_Event")


@dataclass(frozen=True)
class Scored:
    """What the loop found out about one post that it classified."""

    text: str
    ade_probability: float


@dataclass
class LoopRun:
    """What one run of the loop came to.

    Attributes:
        n_read: Posts read.
        seconds: From the first line to the last file.
        model_seconds: Of those, spent in the model and its tokenizer.
        scored: The posts that name a drug, by tweet_id.
    """

    n_read: int = 0
    seconds: float = 0.0
    model_seconds: float = 0.0
    scored: dict[str, Scored] = field(default_factory=dict)


class ReferenceLoop:
    """Takes posts through the older path.

    Attributes:
        ade_threshold: Lowest probability called an ADE.

    Args:
        model: Scores one text.
        ade_threshold: Lowest probability called an ADE; the flow's, so that decisions can be compared.
        coder: Stands in for the remote coder the older path asked.
        output: Existing folder that gets one file per post.
    """

    def __init__(self, model: ReferenceModel, ade_threshold: float, coder: ConditionCoder, output: Path) -> None:
        """Read the drug names."""
        self._model, self.ade_threshold, self._coder, self._output = model, ade_threshold, coder, output
        lexicon = read_lexicon()
        self._drugs = {name: lexicon.forms[name] for name in sorted(lexicon.correct)}

    def run(self, lines: Iterable[str]) -> LoopRun:
        """Take every post of `lines`, X API v2 objects, from its line to its file."""
        done = LoopRun()
        started = time.perf_counter()
        for line in lines:
            done.n_read += 1
            self._take(json.loads(line), done)
        done.seconds = time.perf_counter() - started
        return done

    def _take(self, post: dict[str, Any], done: LoopRun) -> None:
        data = post.get("data", post)
        # The older path stored and scored raw text. Masked as the flow masks it, both models read the same text.
        text = mask_text(data.get("note_tweet", data)["text"])
        mentions = self._mentions(text)
        if not mentions:
            return
        before = time.perf_counter()
        probability = self._model.ade_probability(text)
        done.model_seconds += time.perf_counter() - before
        is_ade = probability >= self.ade_threshold
        entities = self._coder.code([text], [mentions])[0].entities if is_ade else ()
        row = _row(data, post.get("includes", {}), text, mentions, entities, probability, is_ade=is_ade)
        (self._output / f"{time.time_ns()}.txt").write_text(json.dumps(row), encoding="utf-8")
        done.scored[data["id"]] = Scored(text, probability)

    def _mentions(self, text: str) -> list[DrugMention]:
        """Return the first place of every drug name that is a substring of `text`."""
        lowered = text.lower()
        places = ((lowered.find(name), name, ingredient) for name, ingredient in self._drugs.items() if name in lowered)
        return [
            DrugMention(text[begin : begin + len(name)], begin, begin + len(name), ingredient)
            for begin, name, ingredient in places
        ]


def _row(
    data: dict[str, Any],
    includes: dict[str, Any],
    text: str,
    mentions: list[DrugMention],
    entities: tuple[Entity, ...],
    probability: float,
    *,
    is_ade: bool,
) -> dict[str, Any]:
    """Return the twelve columns of the older path."""
    location = next((user.get("location") for user in includes.get("users", ())), None)
    city, _, state = (location or "").partition(", ")
    concepts = (concept for entity in entities for concept in entity.concepts if concept.score >= MIN_CONCEPT_SCORE)
    return {
        "id": data["id"],
        "text": text,
        "pred_label": LABELS[is_ade],
        "pred_prob": probability,
        "user_id": data.get("author_id"),
        "timestamp": data["created_at"],
        "user_city": city,
        "user_state": state,
        "user_location": location,
        "drug_mentions": [mention.ingredient for mention in mentions],
        "ae_type": [entity.text for entity in entities if entity.score >= MIN_ENTITY_SCORE],
        "icd_codes": [concept.description for concept in concepts],
    }
