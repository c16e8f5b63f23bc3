"""Many texts, asked of one operation: each distinct text once, as few requests as allowed, several in flight."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.coding.comprehend.pieces import SEPARATOR, Piece, cut, packs, shares, units, unpacked
from adverse_events.errors import RequestRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from adverse_events.coding.comprehend.cache import AnswerCache
    from adverse_events.coding.comprehend.operation import Operation
    from adverse_events.records import Entity

_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one operation said about one text.

    Attributes:
        entities: As the service sent them, offsets counting the whole text.
        n_units: Units billed for it, of a shared request its share; 0 where no request was needed.
        refusal: Why the service will never answer; None when it did.
    """

    entities: tuple[Entity, ...] = ()
    n_units: int = 0
    refusal: str | None = None


class Answers:
    """Gets answers from one operation, or remembers them.

    Args:
        operation: Whom to ask.
        requests_in_flight: Threads of one call; the operation itself limits what several calls ask together.
        posts_per_request: Most texts in one request.
        cache: Answers of earlier runs; None keeps none.
    """

    def __init__(
        self, operation: Operation, requests_in_flight: int, posts_per_request: int, cache: AnswerCache | None
    ) -> None:
        """Ask `operation`."""
        self._operation = operation
        self._in_flight = requests_in_flight
        self._per_request = posts_per_request
        self._cache = cache
        # Answers got in packs are kept apart: a text asked alone may be answered otherwise.
        packing = f" packed {posts_per_request}" if posts_per_request > 1 else ""
        self._cached_as = (operation.kind.name, operation.model_version + packing)

    def of(self, texts: Iterable[str]) -> dict[str, Answer]:
        """Return the answer for each distinct text.

        A text without a letter needs no request. A refused text is asked again in a later call: the service's limits
        may change, and it is not billed.

        Raises:
            ServiceError, ContractError: As `Operation.ask`, but for a text refused. Answers that came before are
                in the cache, so a later run does not pay for them again.
        """
        known = {text: self._known(text) for text in dict.fromkeys(texts)}
        answers = {text: answer for text, answer in known.items() if answer}
        for text, answer in self._asked([text for text, answer in known.items() if answer is None]):
            answers[text] = answer
            if self._cache and answer.refusal is None:
                self._cache.put(*self._cached_as, text, answer.entities)
        return answers

    def _known(self, text: str) -> Answer | None:
        if not any(map(str.isalpha, text)):
            return Answer()
        if _HALF_CHARACTER.search(text):
            return Answer(refusal=f"{self._operation.kind.name} takes no text with half a surrogate pair in it")
        entities = self._cache.get(*self._cached_as, text) if self._cache else None
        return None if entities is None else Answer(entities)

    def _asked(self, texts: Sequence[str]) -> Iterator[tuple[str, Answer]]:
        """Yield texts with their answers as they come in, in order; an error ends it, with the rest not asked."""
        if not texts:
            return
        requests = list(packs(texts, self._per_request, self._operation.kind.max_bytes))
        pool = ThreadPoolExecutor(min(self._in_flight, len(requests)), "comprehendmedical")
        try:
            for pack, answers in zip(requests, pool.map(self._ask, requests), strict=True):
                yield from zip(pack, answers, strict=True)
        finally:
            pool.shutdown(cancel_futures=True)

    def _ask(self, pack: Sequence[str]) -> list[Answer]:
        if len(pack) == 1:
            return [self._alone(pack[0])]
        together = SEPARATOR.join(pack)
        try:
            found = unpacked(self._operation.ask(together), pack)
        except RequestRefusedError:  # one post's fault must not be its neighbours'
            return [self._alone(text) for text in pack]
        paid = shares(units(len(together)), [len(text) for text in pack])
        return [
            self._alone(text, paid=share) if entities is None else Answer(entities, share)
            for text, entities, share in zip(pack, found, paid, strict=True)
        ]

    def _alone(self, text: str, *, paid: int = 0) -> Answer:
        """Ask about one text, in as many pieces as it takes; `paid` units went to a request before."""
        entities: list[Entity] = []
        n_units = paid
        for piece in self._pieces(text):
            try:
                entities += piece.moved_back(self._operation.ask(piece.text))
            except RequestRefusedError as refusal:
                return Answer((), n_units, str(refusal))
            n_units += units(len(piece.text))
        return Answer(tuple(entities), n_units)

    def _pieces(self, text: str) -> Iterator[Piece]:
        """Yield the pieces of `text` that hold a letter."""
        return (piece for piece in cut(text, self._operation.kind.max_bytes) if any(map(str.isalpha, piece.text)))
