"""The stations of the row's path for a handful of posts: screening, classification and coding, as `detect` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from adverse_events.classification.classify import classify
from adverse_events.coding.code import code
from adverse_events.listening.serious import SeriousEvent, serious_event
from adverse_events.screening.screen import screen
from adverse_events.staging import TWEETS, Batch, Tally, read_staged, workspace, write_staged
from adverse_events.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from adverse_events.classification.classify import ClassifierSettings
    from adverse_events.classification.protocol import Classifier
    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.coding.select import CodingSettings
    from adverse_events.landing.protocol import LandedPost
    from adverse_events.screening.drugs import DrugLexicon
    from adverse_events.screening.screen import ScreeningSettings


class Assessed(NamedTuple):
    """What some posts came to: how many are positive, and what is serious."""

    n_positive: int
    serious: tuple[SeriousEvent, ...]


@dataclass(frozen=True)
class Stations:
    """The parts that assess posts, and their settings.

    Attributes:
        classifier: Returns the classifier for a number of posts; asked per batch, since an endpoint may be replaced.
        coder: Returns the coder.
        channel: Value of column `source`.
        window_minutes: Length of a window.
    """

    screening: ScreeningSettings
    lexicon: DrugLexicon
    classification: ClassifierSettings
    classifier: Callable[[int], Classifier]
    coding: CodingSettings
    coder: Callable[[], ConditionCoder]
    channel: str
    window_minutes: int

    def assess(self, posts: Sequence[LandedPost]) -> Assessed:
        """Assess some posts, as they would be in their windows but for duplicates among other posts.

        Raises:
            ServiceError: A remote classifier or coder cannot be asked.
        """
        with workspace() as folder:
            screened = screen(self._staged(posts, folder), self.screening, self.lexicon)
            classified = classify(screened, self.classifier(len(posts)), self.classification)
            coded = code(classified, self.coder(), self.coding)
            positive = [row for rows in read_staged(coded.rows) for row in _positive(rows)]
        return Assessed(len(positive), tuple(event for row in positive if (event := serious_event(row))))

    def _staged(self, posts: Sequence[LandedPost], folder: Path) -> Batch:
        ordered = sorted(posts, key=lambda post: (post.created_at, post.tweet_id))
        windows = [Window.containing(post.created_at, self.window_minutes) for post in ordered]
        rows = {
            "tweet_id": [post.tweet_id for post in ordered],
            "text": [post.text for post in ordered],
            "created_at": [post.created_at for post in ordered],
            "lang": [post.lang for post in ordered],
            "source": [self.channel] * len(ordered),
            "author_pseudonym": [post.author_pseudonym for post in ordered],
            # Where an author is decides nothing about a post; windows written to the lake have it.
            **dict.fromkeys(("author_country", "author_region", "author_city"), [None] * len(ordered)),
            "is_repost": [post.is_repost for post in ordered],
            "origin": ["landing"] * len(ordered),
            "row_number": [None] * len(ordered),
            "payload_sha256": [post.payload_sha256 for post in ordered],
            "window_start": [window.start for window in windows],
        }
        path = folder / "tweets.arrow"
        write_staged(path, TWEETS, [pa.table(rows, schema=TWEETS)])
        tallies: dict[Window, Tally] = {}
        for window in windows:
            tallies[window] = tallies.get(window, Tally()).plus(rows_in=1)
        return Batch(tuple(tallies), path, (), tallies)


def _positive(rows: pa.RecordBatch) -> Iterator[dict[str, object]]:
    yield from rows.filter(rows.column("is_ade")).to_pylist()
