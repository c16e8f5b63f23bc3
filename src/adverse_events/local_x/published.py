"""What a listener must have in the end: every post that was published and asked for, in its latest version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adverse_events.local_x.state import HeldPost, State


def expected(state: State) -> Iterator[HeldPost]:
    """Yield the posts, in the order of publication, each once; those edited, deleted or protected since left out."""
    for tweet_id in dict.fromkeys(state.stream.published):
        post = state.post(tweet_id)
        if post and not state.why_hidden(tweet_id) and state.rules.matching(post.document):
            yield post


def write_expected(state: State, path: Path) -> int:
    """Write those posts as an archive of JSON lines, as a stream sends them; returns how many."""
    n_posts = 0
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        for post in expected(state):
            lines.write(f"{json.dumps({'data': post.load()['data']}, ensure_ascii=False)}\n")
            n_posts += 1
    return n_posts
