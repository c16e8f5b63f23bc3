"""The language of a post: the source's word for it, or an offline guess.

The guess is py3langid's: naive Bayes over byte n-grams, kept up in 2026, BSD licence. It loads in half a second,
guesses some ten thousand posts a second on one core, needs nothing but numpy and ships its model, while lingua's
models are many times larger and langdetect is slow, random unless seeded and no longer kept up. On a short text
every detector errs, so a source's own answer comes first.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Self

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from adverse_events.privacy import EMAIL, PHONE, URL, USER

if TYPE_CHECKING:
    from collections.abc import Collection

UNDETERMINED = "und"
"""ISO 639-2 code of a language that is not known."""

_NOT_A_LANGUAGE = re.compile(r"und|zxx|mul|mis|q..", re.IGNORECASE)
_NOT_WORDS = re.compile("|".join(map(re.escape, (USER, URL, EMAIL, PHONE))) + r"|https?://\S+|[@＠]\w+|#")  # noqa: RUF001 - as X links it
_CANDIDATES = re.findall(
    r"\w+",
    "am ar as bg bn bs ca cs cy da de el en es et eu fa fi fr gl gu he hi hr ht hu hy id is it ja ka km kn ko "
    "lo lt lv mk ml mn mr ms my ne nl no or pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tl tr ug uk ur uz vi zh",
)
"""Languages with many posts. Latin, pidgins and small neighbours of English and Spanish only catch drug names."""


class LanguageDetector:
    """Guesses the language of short texts, without a network."""

    def __init__(self) -> None:
        """Load the model that py3langid ships."""
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._identifier.set_languages(_CANDIDATES)

    @classmethod
    @cache
    def load(cls) -> Self:
        """Return the detector, read once per process."""
        return cls()

    def detect(self, text: str) -> tuple[str, float]:
        """Guess the language of `text`.

        Args:
            text: A post; placeholders, links and handles in it are ignored.

        Returns:
            ISO 639-1 code and its probability, 0-1; ("und", 0.0) when nothing is left to read.
        """
        words = _NOT_WORDS.sub(" ", text)
        if not any(character.isalpha() for character in words):
            return UNDETERMINED, 0.0
        language, probability = self._identifier.classify(words)
        return str(language), float(probability)


def source_language(lang: str | None) -> str | None:
    """Return the ISO 639-1 code in a source's `lang`, or None when it does not name a language.

    Region is dropped (en-GB is en). X marks posts it cannot place with und, zxx or codes from the private range
    q.. (qme: media only, qht: hashtags only).

    Source:
        X API v2 post object, field lang; ISO 639-2 reserves qaa-qtz for local use.
    """
    code = (lang or "").replace("_", "-").partition("-")[0].strip().lower()
    return code if code and not _NOT_A_LANGUAGE.fullmatch(code) else None


def judge_language(text: str, lang: str | None, *, wanted: Collection[str], min_confidence: float) -> tuple[str, bool]:
    """Decide which language a post is in and whether to keep it.

    A source's own answer is final. A guess screens a post out only when it is sure of another language, for a
    lost post costs more than one read in vain.

    Args:
        text: The post.
        lang: What the source says, if anything.
        wanted: ISO 639-1 codes kept.
        min_confidence: Probability from which a guess of an unwanted language counts, 0-1.

    Returns:
        The language used ("und" when the guess was not sure enough) and whether the post is kept.
    """
    known = source_language(lang)
    if known is not None:
        return known, known in wanted
    guess, probability = LanguageDetector.load().detect(text)
    if guess in wanted:
        return guess, True
    return (guess, False) if probability >= min_confidence else (UNDETERMINED, True)
