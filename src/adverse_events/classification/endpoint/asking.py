"""One request to an endpoint: sent, its answer checked, asked again or split where that helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from adverse_events.aws.errors import translated
from adverse_events.aws.retry import patiently
from adverse_events.classification.endpoint.ahead import Stopped
from adverse_events.classification.endpoint.batches import MOST_BYTES, joined, refused
from adverse_events.classification.protocol import Scored
from adverse_events.errors import (
    AnswerError,
    ContractError,
    ModelFailedError,
    PermanentServiceError,
    RequestRefusedError,
)
from adverse_events.serving import payload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from adverse_events.aws.session import Cloud
    from adverse_events.classification.endpoint.identity import Identity
    from adverse_events.classification.endpoint.settings import EndpointSettings
    from adverse_events.serving.payload import ModelCard, TextScores

SERVICE = "sagemaker-runtime"

PROBE = ("The library opens at nine on weekdays.", "A ferry crosses the bay every hour.")
"""Harmless texts: what a refusal of these says is about the endpoint, not about a post."""


MOST_FAILED = 8
"""Posts of one request that the model may fail on and that are rejected for it; more are the container's fault."""

TRIES_OF_A_PART = 2
"""Tries per part of a request on which the model failed each time: the whole of it has had all of its own."""


@dataclass
class _Division:
    """How a request is being divided: tries per part, and posts found on which the model fails."""

    attempts: int
    n_failed: int = 0


@dataclass(frozen=True)
class Answer:
    """One request's answer: scores per text, what the server says of its model, and the variant that answered."""

    rows: list[TextScores]
    card: ModelCard
    variant: str


def score_rows(rows: Sequence[TextScores], labels: Sequence[str]) -> Scored:
    """Return `rows` as an array, columns in the order of `labels`.

    Raises:
        payload.PayloadError: A row has other classes.
    """
    expected = set(labels)
    for row in rows:
        if row.scores.keys() != expected:
            # Its own names are not quoted: what a server that is not a classifier calls a label may be a post.
            msg = f"an answer has other classes than {', '.join(labels)}; run again once the endpoint is stable"
            raise payload.PayloadError(msg)
    scores = np.array([[row.scores[label] for label in labels] for row in rows], np.float32)
    return Scored(scores.reshape(len(rows), len(labels)), [row.truncated for row in rows])


class Endpoint:
    """One endpoint, asked; safe to share between threads.

    Args:
        cloud: The account.
        settings: The endpoint's name and variant.
    """

    def __init__(self, cloud: Cloud, settings: EndpointSettings) -> None:
        """Make the client; nothing is asked yet."""
        self.name = str(settings.name)
        self.who = f"endpoint {self.name}"
        self.variants: set[str] = set()
        self._client = cloud.client(SERVICE)
        self._attempts = cloud.settings.max_attempts
        self._operation = f"InvokeEndpoint {self.name}"
        self._target = {"TargetVariant": settings.variant} if settings.variant else {}
        self._probe = PROBE[: settings.texts_per_request]

    def probe(self, pause: Callable[[float], None] | None = None) -> Answer:
        """Ask for the scores of harmless texts.

        Raises:
            PermanentServiceError: It is gone, or refuses even these.
            TransientServiceError: It did not answer.
            ContractError: It is not a text classifier.
        """
        try:
            answer = patiently(lambda: self._asked(self._probe), attempts=self._attempts, sleep=pause)
        except RequestRefusedError as refusal:
            detail = (
                f"{refusal.detail} even for a harmless text: it serves another task or is broken; check endpoint.name, "
                f"and its log /aws/sagemaker/Endpoints/{self.name}"
            )
            raise PermanentServiceError(SERVICE, self._operation, detail) from None
        if not all(0 <= score <= 1 for row in answer.rows for score in row.scores.values()):
            detail = "its scores are no probabilities, 0-1; is it a text classifier that ends in a softmax?"
            raise ContractError(self.who, detail)
        return answer

    def scored(self, texts: Sequence[str], identity: Identity, stop: Event) -> Scored:
        """Return the scores of one request's texts; those the model refuses to read, or fails on, are refusals.

        A request that is refused, or on which the model fails each time, is halved until the texts at fault stand
        alone, as long as the model scores a harmless text meanwhile: one such text in n costs about 4 log2(n) requests.

        Args:
            texts: At least one.
            identity: The model that must answer.
            stop: Set when the answer is no longer wanted.

        Raises:
            Stopped: `stop` was set.
            ServiceError: As `Classifier.score` says.
            ContractError: As `Classifier.score` says.
        """
        n_bytes = len(payload.encode_request(texts)) if len(texts) == 1 else 0
        if n_bytes > MOST_BYTES:
            return refused(f"the post takes {n_bytes} bytes and a request at most {MOST_BYTES}", len(identity.labels))
        return self._divided(texts, identity, stop, _Division(self._attempts))

    def _divided(self, texts: Sequence[str], identity: Identity, stop: Event, division: _Division) -> Scored:
        try:
            return self._patiently_scored(texts, identity, stop, division.attempts)
        except RequestRefusedError as refusal:
            detail = refusal.detail
        except ModelFailedError as failure:
            division.attempts = min(division.attempts, TRIES_OF_A_PART)
            division.n_failed += len(texts) == 1
            if division.n_failed > MOST_FAILED:
                raise
            detail = f"{failure.detail} each time it was asked for this post"
        # Many containers call each failure of theirs a bad request, and one that is down fails on all: either would
        # lose post by post.
        self.probe(_pausing(stop))
        if len(texts) == 1:
            return refused(f"{self.who}: {detail}", len(identity.labels))
        middle = len(texts) // 2
        halves = [self._divided(half, identity, stop, division) for half in (texts[:middle], texts[middle:])]
        return joined(halves, len(identity.labels))

    def _patiently_scored(self, texts: Sequence[str], identity: Identity, stop: Event, attempts: int) -> Scored:
        incomplete: list[Scored] = []

        def ask() -> Scored:
            if stop.is_set():
                raise Stopped
            answer = self._asked(texts)
            self._check_model(answer, identity)
            self.variants.add(answer.variant)
            try:
                scored = score_rows(answer.rows, identity.labels)
            except payload.PayloadError as error:
                raise AnswerError(self.who, str(error)) from None
            if not np.isfinite(scored.probabilities).all():
                incomplete[:] = [scored]
                raise AnswerError(self.who, "an answer holds scores that are no numbers")
            return scored

        try:
            return patiently(ask, attempts=attempts, sleep=_pausing(stop))
        except AnswerError:
            if not incomplete:
                raise
            # Asked again, it still has no number for some rows: those are rejected, not the window.
            return incomplete[0]

    def _asked(self, texts: Sequence[str]) -> Answer:
        with translated(SERVICE, self._operation):
            answer = self._client.invoke_endpoint(
                EndpointName=self.name,
                ContentType=payload.CONTENT_TYPE,
                Accept=payload.CONTENT_TYPE,
                Body=payload.encode_request(texts),
                **self._target,
            )
            body = answer["Body"].read()
        card = payload.decode_card(answer.get("CustomAttributes", ""))
        try:
            rows = payload.decode_answer(body, len(texts), says_truncated=bool(card.version))
        except payload.PayloadError as error:
            raise AnswerError(self.who, str(error)) from None
        return Answer(rows, card, answer.get("InvokedProductionVariant", ""))

    def _check_model(self, answer: Answer, identity: Identity) -> None:
        if answer.card.version != identity.card_version:
            detail = (
                f"model {answer.card.version or 'unnamed'} answered in place of {identity.model_version}: the model "
                "was replaced while it answered, or its variants differ; run again, or set endpoint.variant"
            )
            raise ContractError(self.who, detail)


def _pausing(stop: Event) -> Callable[[float], None]:
    """Return a pause that ends at once with `Stopped` when the answer is no longer wanted."""

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped

    return pause
