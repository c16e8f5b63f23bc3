"""Where many authors are: each distinct text is read once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from adverse_events.location.gazetteer import Gazetteer
from adverse_events.location.reading import NOWHERE, Found, read_place, read_profile

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS_REMEMBERED = 200_000
"""Distinct texts whose answer is kept; about 50 MB."""


class Locator:
    """Looks places up, and remembers.

    Args:
        gazetteer: Names of places; the packaged one when None, read when it is first needed.
    """

    def __init__(self, gazetteer: Gazetteer | None = None) -> None:
        """Prepare; nothing is read yet."""
        self._gazetteer = gazetteer
        self._profile = lru_cache(TEXTS_REMEMBERED)(self._read_profile)
        self._place = lru_cache(TEXTS_REMEMBERED)(self._read_place)

    def locate(self, whereabouts: Sequence[tuple[str | None, str | None, str | None]]) -> list[Found]:
        """Return where authors are, one result each, same order.

        Args:
            whereabouts: Country code and full name of a post's own place, and the author's profile text; each may be
                None. A post's place wins over the profile.
        """
        return [self._one(*each) for each in whereabouts]

    def _one(self, country_code: str | None, place_name: str | None, profile: str | None) -> Found:
        if country_code or place_name:
            found = self._place(country_code, place_name)
            if found.country:
                return found
        return self._profile(profile) if profile else NOWHERE

    def _read_profile(self, text: str) -> Found:
        return read_profile(text, self._names)

    def _read_place(self, country_code: str | None, name: str | None) -> Found:
        return read_place(country_code, name, self._names)

    @property
    def _names(self) -> Gazetteer:
        if self._gazetteer is None:
            self._gazetteer = Gazetteer.load()
        return self._gazetteer
