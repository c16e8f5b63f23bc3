"""Reading a post: words in one spelling, each knowing where it stands in the original text.

Matching happens on the words, so case, quotes, elongation, hashtags, contractions, plural endings and
misspellings never reach the lexicon, and every match leads back to code points of the text as given.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rapidfuzz import process
from rapidfuzz.distance import OSA

from adverse_events.coding.markup import resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from adverse_events.records import DrugMention

DRUG = "DRUG"
"""Stands for a drug mention; upper case, so no word of a post can be taken for it."""

NUMBER = "#"
"""Stands for any number."""

STOPS = frozenset({".", "?"})
"""Ends of a sentence."""

PAUSE = ","
"""A break inside a sentence: comma, bracket, dash, slash, emoji."""

MIN_FUZZY_LETTERS = 8
_CACHED_WORDS = 1 << 16
_MIN_STEM_LETTERS = 4
_MIN_COMPACT_LETTERS = 7
_MIN_PIECE_LETTERS = 3
_MAX_PIECE_LETTERS = 16
_SHORT_PIECES = frozenset(
    {"i", "a", "my", "is", "so", "no", "of", "in", "on", "to", "me", "up", "it", "am", "im", "go"}
)
_OF_ADJECTIVES = (("iness", "y"), ("yness", "y"), ("iest", "y"), ("ier", "y"), ("ish", ""))
_MAX_FORM_WORDS = 8
_MAX_RUNS = 3
_MAX_WORD_LETTERS = 40
_LONG_WORD = _MAX_WORD_LETTERS + 1
"""Longer words are of no lexicon; they are cut here, and not looked up."""
_NOWHERE = 1 << 62
"""After the end of every text."""
_NONE: frozenset[int] = frozenset()
_Placed = tuple[list[tuple[str, int, int]], bool]
"""The words of a token with the places in it where each begins and ends, and whether they are a guess."""

MIXED = r"(?=[A-Za-z]{1,5} ?\d)(?i:type ?[12]|hba1c|a1c|spo2|b12|b6|d3|o2|e2|t1d|t2d|h1n1|hsv[12])(?!\w)"
"""Words of letters and digits; elsewhere a digit ends a word ("20lbs")."""

_TOKEN = (
    r"(?P<with>(?<!\w)[wW]/(?:[oO]\b)?)"
    r"|(?P<word>" + MIXED + r"|\#?[^\W\d_]+(?:['`\u2018\u2019\u201b\u2032\u00b4\u02b9\u02bc\u02bb\uff07][^\W\d_]+)*)"
    r"|(?P<number>\d+(?:[.,:]\d+)*)"
    r"|(?P<stop>[.!?;\n\u2026]+)"
    r"|(?P<and>[&+])"
)
_COMMON = r"[A-Za-z]++(?= \D|[.,!?;:)\n]|$)"
"""Most tokens: no apostrophe, digit or slash follows. Tried first because it is quick, not because it is needed."""
_GROUP = re.compile(r"\(\?P<\w+>")
_PAUSE = r"(?P<pause>[,:()\[\]/|\"\u2013\u2014\u201c\u201d\u2600-\u27bf\U0001f000-\U0001faff])"
_SIGNS: dict[str | None, Callable[[str], str]] = {
    "number": lambda _: NUMBER,
    "stop": lambda raw: "?" if "?" in raw else ".",
    "with": lambda raw: "with" if len(raw) == len("w/") else "without",
    "and": lambda _: "and",
    "pause": lambda _: PAUSE,
}
_APOSTROPHES = str.maketrans("", "", "'`\u2018\u2019\u201b\u2032\u00b4\u02b9\u02bc\u02bb\uff07")
_RUN = re.compile(r"(.)\1{2,}")
_HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True, slots=True)
class Reading:
    """One text as words.

    Attributes:
        words: Every word and break, normalised.
        begins: First code point of each word in the original text.
        ends: First code point after it.
        guessed: Indices of words that were recognised only at edit distance one.
    """

    words: list[str]
    begins: list[int]
    ends: list[int]
    guessed: frozenset[int]


@dataclass(frozen=True)
class Spelling:
    """Brings words to the one spelling the lexicon uses.

    Attributes:
        variants: Known variants (misspelling, British form, contraction, emoji) and the words meant; a word
            mapped to itself keeps its final s.
        vocabulary: Every word of the lexicon.
        forms: Every form, to find those written as one word.
        skipped: Words that may stand inside a form without belonging to it.
        fuzzy: Words that may be recognised at edit distance one.
    """

    variants: Mapping[str, tuple[str, ...]]
    vocabulary: AbstractSet[str]
    forms: Mapping[str, object]
    skipped: AbstractSet[str]
    fuzzy: Iterable[str]
    _by_letter: dict[str, list[str]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Group the fuzzy words by first letter."""
        for word in sorted(self.fuzzy):
            self._by_letter.setdefault(word[:1], []).append(word)

    def resolve(self, raw: str) -> tuple[tuple[str, ...], bool]:
        """Return the words that `raw`, one word of a post, stands for, and whether they are a guess."""
        word = plain(raw)
        known = canonical(word, self.variants)
        if len(known) > 1 or known[0] in self.vocabulary:
            return known, False
        for shorter in _shortened(word):
            words = canonical(shorter, self.variants)
            if len(words) > 1 or words[0] in self.vocabulary:
                return words, False
            word = shorter
        for respelt in _respelt(word):
            words = canonical(respelt, self.variants)
            if words[0] in self.vocabulary:
                return words, False
        if form := self._form(word):
            return form, False
        known = canonical(word, self.variants)
        if guess := self._guess(known[0]):
            return canonical(guess, self.variants), True
        return known, False

    def segment(self, tag: str) -> list[str]:
        """Return `tag`, words run together, cut into words of the lexicon; one piece where that yields no form.

        Of several ways the one with the fewest words is taken, short words counting double.
        """
        word = plain(tag)
        if len(word) != len(tag) or not _MIN_COMPACT_LETTERS <= len(word) <= _MAX_WORD_LETTERS:
            return [tag]
        # For each place, what the rest costs and where its first piece ends; a short piece counts double.
        best: list[tuple[int, int] | None] = [*[None] * len(word), (0, 0)]
        for begin in reversed(range(len(word))):
            for end in range(min(len(word), begin + _MAX_PIECE_LETTERS), begin, -1):
                rest, known = best[end], best[begin]
                cost = 1 if end - begin >= _MIN_PIECE_LETTERS else 2
                if rest and (known is None or rest[0] + cost < known[0]) and self._is_piece(word[begin:end]):
                    best[begin] = (rest[0] + cost, end)
        pieces, position = [], 0
        while position < len(word) and (step := best[position]):
            pieces.append(tag[position : step[1]])
            position = step[1]
        return pieces if len(pieces) > 1 and position == len(word) and self._has_form(pieces) else [tag]

    def _is_piece(self, word: str) -> bool:
        if len(word) < _MIN_PIECE_LETTERS and word not in _SHORT_PIECES:
            return False
        words = canonical(word, self.variants)
        return len(words) > 1 or words[0] in self.vocabulary

    def _has_form(self, pieces: Sequence[str]) -> bool:
        words = [word for piece in pieces for word in canonical(plain(piece), self.variants)]
        words = [word for word in words if word not in self.skipped]
        return any(" ".join(words[begin:end]) in self.forms for begin, end in _ranges(len(words)))

    def _form(self, word: str) -> tuple[str, ...]:
        """Return the form that `word` compares, names or writes as one word; empty where it does not."""
        if (adjective := _adjective(word)) in self.forms:
            return (adjective,)
        if len(word) < _MIN_COMPACT_LETTERS:
            return ()
        for cut in range(_MIN_PIECE_LETTERS, len(word) - _MIN_PIECE_LETTERS + 1):
            first = canonical(word[:cut], self.variants)
            if first[0] in self.vocabulary:
                words = (*first, *canonical(word[cut:], self.variants))
                if " ".join(words) in self.forms:
                    return words
        return ()

    def _guess(self, word: str) -> str | None:
        """Return the one fuzzy word at edit distance one from `word`, same first letter; None when several."""
        if len(word) < MIN_FUZZY_LETTERS:
            return None
        known = self._by_letter.get(word[0], ())
        near = process.extract(word, known, scorer=OSA.distance, score_cutoff=1, limit=2)
        return near[0][0] if len(near) == 1 else None


class _Known(dict[str, "str | _Placed"]):
    """What each token stands for: its word, where it is one and no guess, else its words with their places in it.

    Emptied when it is full. Long tokens are not kept.
    """

    def __init__(self, resolve: Callable[[str], str | _Placed]) -> None:
        """Ask `resolve` about a token not met before."""
        super().__init__()
        self._resolve = resolve

    def __missing__(self, raw: str) -> str | _Placed:
        """Resolve `raw`."""
        known = self._resolve(raw)
        if len(raw) < _LONG_WORD:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[raw] = known
        return known


class Reader:
    """Reads texts with one spelling; remembers the words it has met."""

    def __init__(self, spelling: Spelling) -> None:
        """Read with `spelling`."""
        self._spelling = spelling
        self._known = _Known(self._placed)
        signs = [sign for sign in spelling.variants if not sign[0].isascii() and not sign[0].isalnum()]
        emoji = "|".join(map(re.escape, sorted(signs, key=len, reverse=True))) or "(?!)"
        token = f"{_TOKEN}|(?![\\x00-\\x7f])(?P<emoji>{emoji})|{_PAUSE}"
        self._token = re.compile(token)
        self._tokens = re.compile(f"(?! )({_COMMON}|{_GROUP.sub('(?:', token)})")

    def read(  # noqa: C901 - one loop over every token of every post
        self, text: str, drugs: Sequence[DrugMention] = ()
    ) -> Reading:
        """Read `text`; each drug mention becomes the word `DRUG`."""
        text, places = resolved(text)
        spans = sorted({(drug.begin, drug.end) for drug in drugs}) if drugs else []
        if places:
            spans = [(bisect_left(places[0], begin), bisect_left(places[0], end)) for begin, end in spans]
        words: list[str] = []
        begins: list[int] = []
        ends: list[int] = []
        guessed: set[int] = set()
        all_known = self._known
        upcoming, last = 0, -1
        drug_begin = spans[0][0] if spans else _NOWHERE
        end = 0
        pieces = self._tokens.split(text)
        for gap, raw in zip(pieces[::2], pieces[1::2], strict=False):  # one gap more than tokens
            begin = end + len(gap)
            end = begin + len(raw)
            if end > drug_begin:
                while upcoming < len(spans) and spans[upcoming][1] <= begin:
                    upcoming += 1
                drug_begin = spans[upcoming][0] if upcoming < len(spans) else _NOWHERE
                if end > drug_begin:  # covered or cut by the span, which is one word
                    if last != upcoming:
                        last = upcoming
                        words.append(DRUG)
                        begins.append(drug_begin)
                        ends.append(spans[upcoming][1])
                    continue
            known = all_known[raw]
            if isinstance(known, str):
                words.append(known)
                begins.append(begin)
                ends.append(end)
                continue
            placed, is_guess = known
            if is_guess:
                guessed.add(len(words))
            for word, first, after in placed:
                words.append(word)
                begins.append(begin + first)
                ends.append(begin + after)
        if places:
            begins = [places[0][begin] for begin in begins]
            ends = [places[1][end - 1] for end in ends]
        return Reading(words, begins, ends, frozenset(guessed) if guessed else _NONE)

    def _placed(self, raw: str) -> str | _Placed:
        """Return what the token `raw` stands for."""
        if raw.isascii() and raw.isalpha() and (lower := raw.lower()) != raw:
            return self._known[lower]
        if raw[0] == "#" != raw:
            return self._tag_of(raw), False
        words, is_guess = self._norms_of(raw[:_LONG_WORD])
        if len(words) == 1 and not is_guess:
            return words[0]
        return [(word, 0, len(raw)) for word in words], is_guess

    def _norms_of(self, raw: str) -> tuple[tuple[str, ...], bool]:
        """Return the words that one token stands for, and whether they are a guess."""
        is_plain = raw.isascii() and raw.isalpha()
        token = None if is_plain else self._token.match(raw)
        kind = token.lastgroup if token else "word"
        if kind == "emoji":
            return self._spelling.variants[raw], False
        if kind != "word":
            return (_SIGNS[kind](raw),), False
        return self._spelling.resolve(raw) if len(raw) < _LONG_WORD else ((plain(raw),), False)

    def _tag_of(self, raw: str) -> list[tuple[str, int, int]]:
        """Return the words of a hashtag, and the places in it where each begins and ends."""
        tag, begin = raw[1:], 1
        humps = [hump.group() for hump in _HUMP.finditer(tag)]
        pieces = humps if len(humps) > 1 and "".join(humps) == tag else self._spelling.segment(tag)
        found = []
        for piece in pieces:
            norms, _ = self._norms_of(piece[:_LONG_WORD])
            found += [(norm, begin, begin + len(piece)) for norm in norms]
            begin += len(piece)
        return found


def plain(raw: str) -> str:
    """Return `raw` case-folded, in compatibility form, without apostrophes."""
    if raw.isascii():
        if raw.isalpha():
            return raw.lower()
    else:
        raw = unicodedata.normalize("NFKC", raw)
    return raw.translate(_APOSTROPHES).casefold()


def canonical(word: str, variants: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the words a plain `word` stands for: its known variant, or itself without a plural s."""
    known = variants.get(word)
    if known:
        return known
    if len(word) >= _MIN_STEM_LETTERS and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        stem = word[:-1]
        return variants.get(stem, (stem,))
    return (word,)


def _ranges(n_words: int) -> Iterator[tuple[int, int]]:
    return (
        (begin, end) for begin in range(n_words) for end in range(begin + 1, min(n_words, begin + _MAX_FORM_WORDS) + 1)
    )


def _respelt(word: str) -> list[str]:
    """Return other spellings of `word`: without British ae, oe, our and ise, and with the g of "-in'"."""
    american = word.replace("ae", "e").replace("oe", "e").replace("our", "or").replace("is", "iz")
    tried = (word.replace("ae", "e").replace("oe", "e"), word.replace("our", "or"), american)
    found = [one for one in tried if one != word]
    if word.endswith(("isation", "ise", "ised", "ising", "yse", "ysed", "ysing")):
        head, tail = word[:-7], word[-7:]
        found.append(head + tail.replace("s", "z"))
    if word.endswith("in"):
        found.append(f"{word}g")
    return found


def _adjective(word: str) -> str:
    """Return the adjective that `word` compares or names ("itchier", "jumpiness"); empty where it does neither."""
    for ending, own in _OF_ADJECTIVES:
        if word.endswith(ending) and len(word) > len(ending) + _MIN_PIECE_LETTERS - 1:
            return word[: -len(ending)] + own
    return ""


def _shortened(word: str) -> list[str]:
    """Return `word` with each run of three or more letters cut to two or one, likeliest first."""
    if not _RUN.search(word):
        return []
    runs = list(_RUN.finditer(word))
    lengths = itertools.product((2, 1), repeat=min(len(runs), _MAX_RUNS))
    return [_cut(word, runs, (*choice, *[1] * (len(runs) - len(choice)))) for choice in lengths]


def _cut(word: str, runs: Sequence[re.Match[str]], lengths: Sequence[int]) -> str:
    pieces, position = [], 0
    for run, length in zip(runs, lengths, strict=True):
        pieces += [word[position : run.start()], run.group(1) * length]
        position = run.end()
    return "".join(pieces) + word[position:]
