"""The open parts of written forms: inflected verbs, slots, and nouns in templates."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SLOT = re.compile(r"\{(\w+)\}")
NOUN = "{x}"
"""Where a template takes its noun."""

_VERB = re.compile(r"([*~])([a-z]+)")
_SHORT = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")
_VOWELS = "aeiou"


def inflected(written: str, irregular: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Return `written` with ``*verb`` in every inflection and ``~verb`` as -ing; just itself where it marks none.

    Args:
        written: A form such as ``*throw up`` or ``trouble ~sleep``.
        irregular: Other inflections of a verb than the regular ones, by its base, -ing last.
    """
    if not _VERB.search(written):
        return (written,)
    pieces = _VERB.split(written)
    verbs = [
        inflections(base, irregular) if mark == "*" else inflections(base, irregular)[-1:]
        for mark, base in zip(pieces[1::3], pieces[2::3], strict=True)
    ]
    return _filled(pieces[::3], verbs)


def is_inflected(written: str) -> bool:
    """Return whether `written` marks a verb to be inflected."""
    return _VERB.search(written) is not None


def inflections(base: str, irregular: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the base, third person, past and -ing form of a verb.

    >>> inflections("puke", {})
    ('puke', 'pukes', 'puked', 'puking')
    """
    if base in irregular:
        return (base, _third(base), *irregular[base])
    if base.endswith("e"):
        stem = base if base.endswith(("ee", "oe", "ye")) else base[:-1]
        return (base, f"{base}s", f"{base}d", f"{stem}ing")
    if base.endswith("y") and base[-2] not in _VOWELS:
        return (base, _third(base), f"{base[:-1]}ied", f"{base}ing")
    stem = base + base[-1] if _SHORT.fullmatch(base) else base
    return (base, _third(base), f"{stem}ed", f"{stem}ing")


def with_slots(written: str, slots: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Return `written` with every ``{slot}`` filled in every way; just itself where it has none."""
    if "{" not in written:
        return (written,)
    pieces = SLOT.split(written)
    return _filled(pieces[::2], [slots[name] for name in pieces[1::2]])


def _filled(pieces: Sequence[str], fillings: Sequence[Sequence[str]]) -> Iterator[str]:
    for filling in itertools.product(*fillings):
        yield "".join(itertools.chain.from_iterable(itertools.zip_longest(pieces, filling, fillvalue="")))


def _third(base: str) -> str:
    if base.endswith("y") and base[-2] not in _VOWELS:
        return f"{base[:-1]}ies"
    return f"{base}es" if base.endswith(("s", "x", "z", "ch", "sh", "o")) else f"{base}s"
