"""Makes synthetic posts with gold labels: any number, the same for the same seed.

Command line: ``python -m adverse_events.sample.generate FOLDER --posts N --seed S``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from adverse_events.errors import UsageError
from adverse_events.sample import wire
from adverse_events.sample.crowd import Crowd
from adverse_events.sample.defects import BLANK_LINES, defects
from adverse_events.sample.week import DAYS, GOLD_FILE, N_POSTS, PAGES_FILE, POSTS_FILE, POSTS_FOLDER, SEED, START
from adverse_events.windows import as_utc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from adverse_events.sample.post import GeneratedPost

GOLD_COLUMNS = ("tweet_id", "is_ade", "drug_ingredients", "events", "kind")

POSTS_PER_PAGE = 20
PAGED_EVERY = 6
"""Every sixth post travels in a response page, the others one per line."""

RESENT_EVERY = 400
"""Every four-hundredth post is delivered twice, same id and text, as a stream does when it reconnects."""


def generate(n_posts: int, seed: int, *, start: datetime = START, days: int = DAYS) -> Iterator[GeneratedPost]:
    """Yield synthetic posts in time order, without holding more than an hour of them.

    Args:
        n_posts: How many, 0 or more.
        seed: The same seed gives the same posts, on every machine and Python version.
        start: First instant, aware; the posts lie in ``[start, start + days)``.
        days: Whole days covered.

    Raises:
        UsageError: A naive `start`, fewer than no posts, or less than a day.
    """
    if n_posts < 0 or days < 1:
        msg = f"{n_posts} posts over {days} days cannot be made; ask for 0 posts or more over at least 1 day"
        raise UsageError(msg)
    return Crowd(seed, n_posts).post_all(as_utc(start, "start"), days)


def write_sample(
    folder: Path, n_posts: int = N_POSTS, seed: int = SEED, *, start: datetime = START, days: int = DAYS
) -> Path:
    """Write posts and gold labels under `folder` and return the folder of the posts.

    Single posts go to ``posts/posts.jsonl.gz``, with the lines of `defects.defects` and blank ones strewn among
    them; response pages, newest post first, to ``posts/pages.jsonl``, which ends with a page that found nothing.
    ``gold.csv`` gets one row per readable post, in time order.

    Args:
        folder: Created if missing; files of an earlier run are replaced.
        n_posts: Readable posts, not counting those delivered twice.
        seed: As for `generate`; so are `start` and `days`.
        start: First instant, aware.
        days: Whole days covered.
    """
    posts = generate(n_posts, seed, start=start, days=days)
    strewn = [line for _, line in defects(as_utc(start, "start"))] + [""] * BLANK_LINES
    posts_folder = folder / POSTS_FOLDER
    posts_folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        singles = files.enter_context(_gzip_text(posts_folder / POSTS_FILE))
        pages = files.enter_context((posts_folder / PAGES_FILE).open("w", encoding="utf-8", newline="\n"))
        labels = files.enter_context((folder / GOLD_FILE).open("w", encoding="utf-8", newline="\n"))
        gold = csv.writer(labels, lineterminator="\n")
        gold.writerow(GOLD_COLUMNS)
        waiting: list[GeneratedPost] = []
        for number, post in enumerate(posts, 1):
            gold.writerow(_gold(post))
            if number % PAGED_EVERY == 0:
                waiting.append(post)
            else:
                _write_single(singles, post)
            if number % RESENT_EVERY == 0:
                _write_single(singles, post)
            if len(waiting) == POSTS_PER_PAGE:
                _write_page(pages, waiting)
            if strewn and number % max(1, n_posts // (len(defects(start)) + BLANK_LINES)) == 0:
                singles.write(f"{strewn.pop(0)}\n")
        for line in strewn:
            singles.write(f"{line}\n")
        if waiting:
            _write_page(pages, waiting)
        _write_page(pages, [])
    return posts_folder


def main() -> None:
    """Write a sample: ``python -m adverse_events.sample.generate FOLDER``."""
    parser = argparse.ArgumentParser(description="Write synthetic posts with gold labels.")
    parser.add_argument("folder", type=Path, help="where to write posts/ and gold.csv")
    parser.add_argument("--posts", type=int, default=N_POSTS, help="readable posts (default %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="same seed, same posts (default %(default)s)")
    given = parser.parse_args()
    write_sample(given.folder, given.posts, given.seed)


def _gold(post: GeneratedPost) -> tuple[str, ...]:
    events = ";".join(f"{surface}={code}" for surface, code in post.events)
    return (post.tweet_id, str(int(post.is_ade)), ";".join(post.drug_ingredients), events, post.kind)


def _write_single(lines: TextIO, post: GeneratedPost) -> None:
    lines.write(f"{json.dumps(wire.single(post), ensure_ascii=False)}\n")


def _write_page(lines: TextIO, waiting: list[GeneratedPost]) -> None:
    """Write the posts `waiting` as one page and forget them; the API escapes what is not ASCII."""
    lines.write(f"{json.dumps(wire.page(waiting[::-1]))}\n")
    waiting.clear()


@contextmanager
def _gzip_text(path: Path) -> Iterator[TextIO]:
    """Open `path` for compressed text without name or time in its header: same text, same bytes."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as compressed,
        io.TextIOWrapper(compressed, encoding="utf-8", newline="\n") as text,
    ):
        yield text


if __name__ == "__main__":
    main()
