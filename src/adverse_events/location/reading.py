"""What an author's profile says about where they are, read with caution: what may be several places is unknown."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.location.gazetteer import Place, folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adverse_events.location.gazetteer import Gazetteer

LONGEST_TEXT = 200
"""Characters of a profile text that are looked at; X allows 30, exports may hold anything."""

LEAST_POPULATION = 100_000
DOMINANCE = 10
"""A city named alone is the largest of its name, where that has so many people, and so many times those of the next."""

MOST_WORDS_OF_NAME = 5
MOST_PARTS = 4

_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_FLAG_A = 0x1F1E6
_NATION_FLAG = re.compile("\U0001f3f4([\U000e0061-\U000e007a]+)\U000e007f")
_NATIONS = {"gbeng": "GB-ENG", "gbsct": "GB-SCT", "gbwls": "GB-WLS", "ustx": "US-TX", "usca": "US-CA"}
_TAG = 0xE0000

_SYMBOLS = {"So": "|", "Sk": "|", "Cs": "|", "Co": "|", "Cf": "", "Mn": ""}
"""What stands for characters of these Unicode categories: emoji part, invisible marks vanish."""

_APART = re.compile(r"[|/\\•·;&+~\n\r\t→➡✈☞»>]|\s[-\u2013\u2014]+\s|\s(?:and|by way of|via|to|x|or)\s", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:currently|now|proudly|still|originally|usually|mostly|somewhere|living|live|lives|based|residing|born|"
    r"raised|located|stuck|out|just|right|deep|here|the great state|state|city|province|county|my|i|am|im|from|in|of|"
    r"at|near|outside|around|the heart|heart of|rural|beautiful|sunny|rainy|lovely|old)\s+)+",
    re.IGNORECASE,
)
_ALSO_WORDS = frozenset({"HI", "OH", "OK", "OR"})
"""Codes of states that people also write for what they say."""

_SEVERAL = "?"
"""Ends the region of a place that is one of several in its country: it agrees with no other place there."""

_ALONE_WITHIN = {"new york": Place("US", "US-NY"), "washington": Place("US"), "ireland": Place("IE")}


@dataclass(frozen=True, slots=True)
class Found:
    """Where an author is; None where that is unknown.

    Attributes:
        country: ISO 3166-1 alpha-2.
        region: ISO 3166-2, in US, CA, GB and AU.
        city: GeoNames' name.
    """

    country: str | None = None
    region: str | None = None
    city: str | None = None


NOWHERE = Found()


def read_profile(text: str, gazetteer: Gazetteer) -> Found:
    """Return where a profile text says its author is.

    Each part of it (between bars, slashes, dashes and the like) is read by itself; parts that name different places
    leave only what they agree on. A flag counts as its country.
    """
    text = unicodedata.normalize("NFC", text[:LONGEST_TEXT])
    found = [Place(code) for code in _flags(text) if code in gazetteer.country_codes]
    found += [Place(code[:2], code) for code in _nation_flags(text)]
    for part in _APART.split(_without_symbols(text)):
        place = _read_part(part, gazetteer)
        if place is not None:
            found.append(place)
    return _agreed(found)


def read_place(country_code: str | None, full_name: str | None, gazetteer: Gazetteer) -> Found:
    """Return where a post's own place is.

    Args:
        country_code: As the source gives it; ISO 3166-1 alpha-2.
        full_name: Such as "Austin, TX" or "Manhattan, NY".
        gazetteer: Names of places.
    """
    code = (country_code or "").strip().upper()
    known = gazetteer.country_codes.get(code)
    found = read_profile(full_name, gazetteer) if full_name else NOWHERE
    if known is None:
        return found
    if found.country in {None, known.country}:
        within = [place for place in _of_name(full_name or "", gazetteer) if place.country == known.country]
        best = _agreed(within) if found.country is None and within else found
        return Found(known.country, best.region, best.city)
    within = [place for place in _of_name((full_name or "").split(",")[0], gazetteer) if place.country == known.country]
    return Found(known.country, *_inside(_agreed(within)))


def _inside(found: Found) -> tuple[str | None, str | None]:
    return found.region, found.city


def _of_name(name: str, gazetteer: Gazetteer) -> list[Place]:
    return [*gazetteer.regions.get(folded(name), ()), *gazetteer.cities.get(folded(name), ())]


def _agreed(places: Sequence[Place]) -> Found:
    """Return what `places` agree on; one that says less contradicts nothing."""
    countries = {place.country for place in places}
    if len(countries) != 1:
        return NOWHERE
    regions = {place.region for place in places if place.region}
    cities = {place.city for place in places if place.city}
    is_one = len(regions) <= 1
    region = next(iter(regions)) if len(regions) == 1 else None
    if region and region.endswith(_SEVERAL):
        region = None
    return Found(countries.pop(), region, cities.pop() if len(cities) == 1 and is_one else None)


def _read_part(part: str, gazetteer: Gazetteer) -> Place | None:
    names = [name.strip(" .!?\"'()[]{}*_#:-") for name in part.split(",")]
    names = [name for name in names if name and folded(name) not in gazetteer.nowhere]
    if not names or len(names) > MOST_PARTS:
        return None
    if len(names) == 1:
        return _alone(names[0], gazetteer) or _spaced(names[0], gazetteer)
    return _nested(names, gazetteer)


def _alone(name: str, gazetteer: Gazetteer) -> Place | None:
    """Return what a name means without anything beside it."""
    for each in dict.fromkeys((name, _LEAD.sub("", name))):
        place = _one(each, gazetteer)
        if place is not None:
            return place
    return None


def _one(name: str, gazetteer: Gazetteer) -> Place | None:
    key = folded(name)
    if not key or len(key.split()) > MOST_WORDS_OF_NAME:
        return None
    if key in _ALONE_WITHIN:
        return _ALONE_WITHIN[key]
    if key in gazetteer.not_alone:
        return _capitals(name, gazetteer)
    if key in gazetteer.usual_cities:
        return gazetteer.usual_cities[key]
    country, regions = gazetteer.countries.get(key), gazetteer.regions.get(key, ())
    if country or regions:
        wide = [*([country] if country else ()), *regions]
        return wide[0] if len(wide) == 1 and not _is_larger_city(key, wide[0], gazetteer) else None
    return _capitals(name, gazetteer) or _city(key, gazetteer)


def _capitals(name: str, gazetteer: Gazetteer) -> Place | None:
    """Return what an abbreviation in capitals means, where it is a state's and no country's, or the other way round."""
    letters = name.replace(".", "").strip()
    if not letters.isupper():
        return None
    if letters == "LA":
        return Place("US", f"US-{_SEVERAL}")
    # Three letters are as often initials or an airport as a country.
    country = gazetteer.country_codes.get(letters) if letters in {"USA", "GBR", "AUS", "NZL", "IND", "PAK"} else None
    regions = () if letters in _ALSO_WORDS else gazetteer.region_codes.get(letters, ())
    if country:
        return country
    if len(regions) == 1 and letters not in gazetteer.country_codes:
        return regions[0]
    return None


def _is_larger_city(key: str, wide: Place, gazetteer: Gazetteer) -> bool:
    """Tell a name that is also a large city somewhere else."""
    return any(
        place.population >= LEAST_POPULATION and place.country != wide.country
        for place in gazetteer.cities.get(key, ())
    )


def _city(key: str, gazetteer: Gazetteer) -> Place | None:
    """Return the city that a name alone means, or what the largest of its name agree on."""
    same = gazetteer.cities.get(key)
    if not same or same[0].population < LEAST_POPULATION:
        return None
    rivals = [place for place in same if place.population * DOMINANCE > same[0].population]
    found = _agreed(rivals)
    if found.country is None:
        return None
    several = f"{found.country}-{_SEVERAL}" if found.region is None and len(rivals) > 1 else None
    return Place(found.country, found.region or several, found.city)


def _spaced(name: str, gazetteer: Gazetteer) -> Place | None:
    """Return what "Austin TX" or "London UK" means: the same as with a comma."""
    words = _LEAD.sub("", name).split()
    if not 2 <= len(words) <= MOST_WORDS_OF_NAME + 2:  # noqa: PLR2004 - two words at least
        return None
    for n_words in (3, 2, 1):
        if n_words < len(words):
            first, last = " ".join(words[:-n_words]), " ".join(words[-n_words:])
            if _wider(last, gazetteer) and (place := _nested([first, last], gazetteer, is_strict=True)):
                return place
    return None


def _nested(names: Sequence[str], gazetteer: Gazetteer, *, is_strict: bool = False) -> Place | None:
    """Return what "Columbus, GA" or "Leeds, England, UK" means.

    Args:
        names: Smallest first.
        gazetteer: Names of places.
        is_strict: The smallest must be known, too.
    """
    bounds = [_wider(name, gazetteer) for name in names[1:]]
    if not all(bounds):
        return None
    within = bounds[-1]
    for narrower in reversed(bounds[:-1]):
        within = [place for place in narrower if any(_lies_in(place, wide) for wide in within)]
    key = folded(_LEAD.sub("", names[0]))
    usual = gazetteer.usual_cities.get(key)
    inner = [
        *gazetteer.cities.get(key, ()),
        *([usual] if usual else ()),
        *_wider(names[0], gazetteer),
    ]
    found = [place for place in inner if any(_lies_in(place, wide) for wide in within)]
    if found:
        return _best(found, within)
    if is_strict:
        return None
    if folded(names[0]).endswith(" county"):
        within = [place for place in within if place.country == "US"]
    agreed = _agreed(within)
    return Place(agreed.country, agreed.region) if agreed.country else None


def _best(found: Sequence[Place], within: Sequence[Place]) -> Place | None:
    """Return what places of one name inside `within` agree on; a far smaller city of that name is passed over."""
    most = _most(found)
    likely = [place for place in found if not place.city or place.population * DOMINANCE >= most]
    best = _agreed(likely)
    if best.country is None:
        return None
    # "New York, NY" is the city, "New York, USA" may be the state.
    is_wide = any(place.city is None for place in likely) and any(wide.region is None for wide in within)
    return Place(best.country, best.region, None if is_wide else best.city)


def _most(places: Iterable[Place]) -> int:
    return max((place.population for place in places), default=0)


def _wider(name: str, gazetteer: Gazetteer) -> list[Place]:
    """Return the countries and regions that a name after a comma may mean."""
    key, letters = folded(name), name.replace(".", "").strip()
    found = list(gazetteer.regions.get(key, ()))
    if key in gazetteer.countries:
        found.append(gazetteer.countries[key])
    if letters.isupper() or (len(letters) == 2 and letters.istitle()):  # noqa: PLR2004 - "Tx"
        found += gazetteer.region_codes.get(letters.upper(), ())
        if letters.isupper() and letters in gazetteer.country_codes:
            found.append(gazetteer.country_codes[letters])
    elif len(letters) == 2 and letters.islower():  # noqa: PLR2004 - "tx"
        found += [place for place in gazetteer.region_codes.get(letters.upper(), ()) if place.country == "US"]
    return list(dict.fromkeys(found))


def _lies_in(place: Place, wide: Place) -> bool:
    if place.country != wide.country:
        return False
    return wide.region is None or place.region == wide.region


def _flags(text: str) -> list[str]:
    return ["".join(chr(ord(letter) - _FLAG_A + ord("A")) for letter in flag) for flag in _FLAG.findall(text)]


def _nation_flags(text: str) -> list[str]:
    tags = ("".join(chr(ord(letter) - _TAG) for letter in match) for match in _NATION_FLAG.findall(text))
    return [_NATIONS[tag] for tag in tags if tag in _NATIONS]


def _without_symbols(text: str) -> str:
    """Return `text` with emoji and other symbols as separators, for they often are."""
    return "".join(
        "|"
        if unicodedata.category(c) in {"So", "Sk", "Cs", "Co"}
        else ""
        if unicodedata.category(c) in {"Cf", "Mn"}
        else c
        for c in text
    )
