"""Splits by phrase: what the lexicon knew, what may improve it, and what must never enter it.

A phrase is put into its split once and stays there. The manifest keeps salted hashes, so that it can be checked, and
published, without listing the phrases. The normal form below does not depend on the lexicon: its spelling and filler
lists may grow without a phrase changing its hash.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.coding.reading import canonical, plain
from adverse_events.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from adverse_events.coding.lexicon import Lexicon

SEEN = "seen"
"""The lexicon held the phrase when the gold set was frozen."""
DEV = "dev"
"""It did not; what the coder does with it may be looked at and mended."""
UNSEEN = "unseen"
"""It did not, and the phrase must never be looked at or entered: only its scores count."""
MET = "met"
"""Unseen at the freeze; the lexicon holds it now, by work that had not read it (see `freeze`)."""
FRESH = "fresh"
"""`UNSEEN` and `MET` together: everything that was unseen at the freeze."""
UNLISTED = "unlisted"
"""The manifest does not know the phrase: it comes from a gold file of somebody else's."""

SPLITS = (SEEN, DEV, UNSEEN, MET)
GROUPS = (SEEN, DEV, UNSEEN, MET, FRESH, UNLISTED)
"""What is scored apart, in the order in which it is shown."""
UNSEEN_SHARE = 65
"""Of 100 phrases that the lexicon did not hold, how many became unseen."""
DEV_POSTS_SHARE = 33
"""Of 100 posts, how many may be looked at, unseen phrases masked, to improve the reading of roles and traits."""

_ITEM = re.compile(r"[^\W_]+(?:['`\u2018\u2019\u00b4\u02bc][^\W_]+)*")
_WORD = re.compile(r"[^\W\d_]+|\d+|#(?!\w)")
_APOSTROPHES = str.maketrans("", "", "'`\u2018\u2019\u00b4\u02bc")
_ARTICLES = {"a", "an", "her", "his", "my", "our", "that", "the", "their", "this", "your"}
_LEFT_OUT = _ARTICLES | {"am", "are", "is", "of", "really", "so", "to", "very", "was"}
_MIN_STEM_LETTERS = 4


@dataclass(frozen=True)
class Manifest:
    """What was frozen, when the gold set was.

    Attributes:
        salt: Precedes every phrase that is hashed.
        gold_sha256: Hash of the gold file's bytes.
        lexicon_sha256: Hash of the lexicon that decided what is `SEEN`.
        icd10cm_release: Release the codes belong to.
        splits: Hashes of phrases by split.
        dev_posts: Names of the posts whose roles and traits may be looked at; those of all others are only scored.
    """

    salt: str
    gold_sha256: str
    lexicon_sha256: str
    icd10cm_release: str
    splits: Mapping[str, frozenset[str]]
    dev_posts: frozenset[str]

    @classmethod
    def empty(cls) -> Manifest:
        """Return the manifest of a gold file that was never frozen: every phrase is `UNLISTED`, every post held."""
        return cls("", "", "", "", {split: frozenset() for split in SPLITS}, frozenset())

    def split_of(self, phrase: str) -> str:
        """Return the split of a phrase, `UNLISTED` when it is in none."""
        hashed = phrase_hash(phrase, self.salt)
        return next((split for split in SPLITS if hashed in self.splits[split]), UNLISTED)

    def groups_of(self, phrase: str) -> tuple[str, ...]:
        """Return every group of `GROUPS` that the phrase is scored in."""
        split = self.split_of(phrase)
        return (split, FRESH) if split in {UNSEEN, MET} else (split,)


def known_condition(phrase: str, lexicon: Lexicon) -> str | None:
    """Return the condition that `lexicon` gives a whole phrase, read as its own forms are; None when it has none."""
    words = [word for item in _ITEM.findall(phrase) for word in canonical(plain(item), lexicon.spelling.variants)]
    form = lexicon.forms.get(" ".join(word for word in words if word not in lexicon.words["FILLER"]))
    return form.condition.name if form else None


def normal_form(phrase: str) -> str:
    """Return the words of `phrase` that tell it from others, case-folded: no articles, no plural s, # for numbers."""
    folded = unicodedata.normalize("NFKC", phrase).translate(_APOSTROPHES).casefold()
    words = [_stem(word) for word in _WORD.findall(folded)]
    return " ".join([word for word in words if word not in _LEFT_OUT] or words)


def phrase_hash(phrase: str, salt: str) -> str:
    """Return the salted SHA-256 of the phrase's normal form."""
    return hashlib.sha256(f"{salt}\0{normal_form(phrase)}".encode()).hexdigest()


def held_by(lexicon: Lexicon, phrases: Iterable[str]) -> dict[str, str]:
    """Return the condition of every phrase that `lexicon` holds as a form, by the phrase's normal form."""
    by_form = {normal_form(form): entry.condition.name for form, entry in lexicon.forms.items()}
    held: dict[str, str] = {}
    for phrase in phrases:
        form = normal_form(phrase)
        condition = by_form.get(form) or known_condition(phrase, lexicon)
        if condition:
            held[form] = condition
    return held


def assign(phrases: Iterable[str], lexicon: Lexicon, salt: str) -> dict[str, frozenset[str]]:
    """Return the hashes of `phrases` by split: what `lexicon` holds is seen, the rest is divided by hash.

    Two phrases of one normal form are in one split; they are seen when the lexicon holds either.
    """
    listed = list(phrases)
    held = held_by(lexicon, listed)
    splits: dict[str, set[str]] = {split: set() for split in SPLITS}
    for form in {normal_form(phrase) for phrase in listed}:
        hashed = phrase_hash(form, salt)
        unknown = UNSEEN if int(hashed, 16) % 100 < UNSEEN_SHARE else DEV
        splits[SEEN if form in held else unknown].add(hashed)
    return {split: frozenset(hashes) for split, hashes in splits.items()}


def dev_posts(names: Iterable[str], salt: str) -> frozenset[str]:
    """Return the posts, of those named, that may be looked at: chosen by hash."""
    hashed = {name: int(hashlib.sha256(f"{salt}\0{name}".encode()).hexdigest(), 16) for name in names}
    return frozenset(name for name, number in hashed.items() if number % 100 < DEV_POSTS_SHARE)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        ContractError: It is missing or not what `write_manifest` writes.
    """
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        splits = {split: frozenset(kept["splits"][split]) for split in SPLITS}
        names = ("salt", "gold_sha256", "lexicon_sha256", "icd10cm_release")
        return Manifest(
            **{name: str(kept[name]) for name in names}, splits=splits, dev_posts=frozenset(kept["dev_posts"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ContractError(path.name, "the manifest of the gold set cannot be read; reinstall the package") from error


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write `manifest` as JSON, hashes sorted."""
    kept = {
        "salt": manifest.salt,
        "gold_sha256": manifest.gold_sha256,
        "lexicon_sha256": manifest.lexicon_sha256,
        "icd10cm_release": manifest.icd10cm_release,
        "splits": {split: sorted(manifest.splits[split]) for split in SPLITS},
        "dev_posts": sorted(manifest.dev_posts),
    }
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _stem(word: str) -> str:
    if not word.isalpha():
        return "#"
    if len(word) >= _MIN_STEM_LETTERS and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
