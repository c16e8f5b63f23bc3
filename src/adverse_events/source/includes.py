"""What a response page holds beside its posts: profiles and places, by id.

Source of the shapes: X API v2, "Expansions", X developer documentation, read 2026-11.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from adverse_events.source.row import Whereabouts

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Includes:
    """Profiles and places of one page, by id."""

    profiles: Mapping[str, str] = field(default_factory=dict, repr=False)
    places: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, page: Mapping[str, Any]) -> Self:
        """Read ``includes``; whatever is not of its shape is passed over."""
        includes = page.get("includes")
        if not isinstance(includes, dict):
            return cls()
        users = (user for user in _objects(includes.get("users")) if isinstance(user.get("location"), str))
        places = _objects(includes.get("places"))
        return cls(
            {str(user.get("id")): user["location"] for user in users},
            {str(place.get("id")): place for place in places},
        )

    def about(self, post: Any) -> Whereabouts | None:
        """Return what the page says of `post`, None where that is nothing."""
        if not isinstance(post, dict) or not (self.profiles or self.places):
            return None
        profile = self.profiles.get(str(post.get("author_id")))
        geo = post.get("geo")
        place = self.places.get(str(geo.get("place_id")), {}) if isinstance(geo, dict) else {}
        country, name = (_text(place.get(key)) for key in ("country_code", "full_name"))
        return Whereabouts(profile, country, name) if profile or country or name else None


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
