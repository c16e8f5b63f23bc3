"""Who says what, hour by hour: kinds and frames are dealt like cards, so that none is used up early."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adverse_events.sample.authors import author
from adverse_events.sample.clock import posting_hours, posting_times, snowflake
from adverse_events.sample.composition import BROADCAST, COPIES, SHARES
from adverse_events.sample.dice import Dice, deal
from adverse_events.sample.grammar import Draft, Frame, fill, frames_of, plain, short_link, spans
from adverse_events.sample.post import GeneratedPost, Reference
from adverse_events.sample.voice import decorate, speak

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

POSTS_REMEMBERED = 60
POSTS_PER_AUTHOR = 3
LONGEST_REPOST = 140
NO_LANG, UNDETERMINED_LANG, QUOTE, REPOST_BY_HAND = 0.03, 0.02, 0.04, 0.2

_LINK = re.compile(r"https://t\.co/\w+")


@dataclass(frozen=True, slots=True)
class Said:
    """What a post says, before anybody has posted it."""

    text: str
    lang: str
    kind: str
    is_ade: bool
    drug_ingredients: tuple[str, ...]
    events: tuple[tuple[str, str], ...]
    reference: Reference | None = None


class Crowd:
    """Everybody who posts, and what they have seen lately."""

    def __init__(self, seed: int, n_posts: int) -> None:
        """Gather the accounts that will write `n_posts` posts."""
        self._dice = Dice(seed)
        self._n_posts = n_posts
        self._kinds = deal(self._dice, [kind for kind, share in SHARES.items() for _ in range(share)])
        self._frames = {kind: deal(self._dice, frames_of(kind)) for kind in SHARES if kind not in COPIES}
        self._seen: deque[GeneratedPost] = deque(maxlen=POSTS_REMEMBERED)
        self._last_id = 0

    def post_all(self, start: datetime, days: int) -> Iterator[GeneratedPost]:
        """Yield every post in time order."""
        for hour, n_posts in posting_hours(self._n_posts, start, days):
            for moment in posting_times(self._dice, hour, n_posts):
                post = self._post(moment)
                self._seen.append(post)
                yield post

    def _post(self, moment: datetime) -> GeneratedPost:
        dice = self._dice
        said = self._say(next(self._kinds), moment)
        tweet_id = max(snowflake(moment, dice.below(4096)), self._last_id + 1)
        self._last_id = tweet_id
        lang = None if dice.chance(NO_LANG) else "und" if dice.chance(UNDETERMINED_LANG) else said.lang
        return GeneratedPost(
            tweet_id=str(tweet_id),
            created_at=moment,
            text=said.text,
            lang=lang,
            kind=said.kind,
            is_ade=said.is_ade,
            drug_ingredients=said.drug_ingredients,
            events=said.events,
            author=author(dice.below(max(1, self._n_posts // POSTS_PER_AUTHOR)), dice),
            reference=said.reference or self._answered(said, moment),
        )

    def _say(self, kind: str, moment: datetime) -> Said:
        hour = moment.replace(minute=0, second=0, microsecond=0)
        this_hour = [post for post in self._seen if post.created_at >= hour]
        if kind == "repost" and (originals := [post for post in self._seen if post.kind != "repost"]):
            return _reposted(self._dice.pick(originals), self._dice)
        if kind == "duplicate":
            originals = [post for post in this_hour if post.kind not in COPIES and post.reference is None]
            if originals:
                return replace(_same(self._dice.pick(originals)), kind="duplicate")
        if kind == "near_duplicate":
            adverts = [post for post in this_hour if post.kind == "advert"]
            if adverts:
                return _relinked(self._dice.pick(adverts), self._dice)
        # Nothing to copy at the start of an hour: an advert is what most often would be copied.
        return self._fresh("advert" if kind in COPIES else kind)

    def _fresh(self, kind: str) -> Said:
        frame: Frame = next(self._frames[kind])
        draft = fill(frame, self._dice)
        if frame.lang != "en":
            marked = decorate(draft.text, self._dice)
        else:
            marked = draft.text if kind in BROADCAST else speak(draft.text, self._dice)
        return _said(marked, draft, frame, kind)

    def _answered(self, said: Said, moment: datetime) -> Reference | None:
        """Return the post this one answers: one nobody kept for a reply, a recent one for a quote."""
        if said.text.startswith("@"):
            earlier = snowflake(moment, 0) - (self._dice.below(5_000_000) << 22) - 1
            return Reference("replied_to", str(earlier))
        if said.lang == "en" and said.kind not in BROADCAST and self._seen and self._dice.chance(QUOTE):
            quoted = self._dice.pick(self._seen)
            # Without its own reference, or a chain of quotes would keep every post alive.
            return Reference("quoted", quoted.tweet_id, replace(quoted, reference=None))
        return None


def _said(marked: str, draft: Draft, frame: Frame, kind: str) -> Said:
    events = tuple(zip(spans(marked), draft.codes, strict=True)) if frame.is_ade else ()
    return Said(plain(marked), frame.lang, kind, frame.is_ade, tuple(draft.ingredients), events)


def _same(post: GeneratedPost) -> Said:
    return Said(post.text, post.lang or "und", post.kind, post.is_ade, post.drug_ingredients, post.events)


def _relinked(post: GeneratedPost, dice: Dice) -> Said:
    text, n_links = _LINK.subn(lambda _: short_link(dice), post.text)
    return replace(_same(post), kind="near_duplicate", text=text if n_links else f"{text} {short_link(dice)}")


def _reposted(post: GeneratedPost, dice: Dice) -> Said:
    """Return `post` repeated by somebody else: through the button, or typed by hand as people once did."""
    text = f"RT @{post.author.username}: {post.text}"
    by_hand = dice.chance(REPOST_BY_HAND)
    if len(text) > LONGEST_REPOST:
        text = f"{text[: LONGEST_REPOST - 1]}…"
    reference = None if by_hand else Reference("retweeted", post.tweet_id, replace(post, reference=None))
    return replace(_same(post), kind="repost", text=text, is_ade=False, events=(), reference=reference)
