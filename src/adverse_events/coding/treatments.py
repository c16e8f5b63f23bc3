"""What drugs are taken for, as far as it is known: by ingredient, or by the class the ingredient's cause code names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.coding.lexicon_files import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_CLASS = "T"
"""Cause codes begin with it, in upper case; ingredients are lower case."""
_PARTS = " / "


class Treatments:
    """Tells which ICD-10-CM codes the drugs of a text are taken for.

    Args:
        causes: Cause code (T36-T50) by ingredient.
        folder: Where ``treats.csv`` is.

    Raises:
        ContractError: That file cannot be used.
    """

    def __init__(self, causes: Mapping[str, str], folder: Path) -> None:
        """Read the file."""
        self._causes = causes
        self._by_drug: dict[str, tuple[str, ...]] = {}
        for line in read_lines(folder, "treats.csv", ("drugs", "codes")):
            codes = tuple(line.listed("codes"))
            if not codes:
                line.refuse("codes is empty")
            for drug in line.listed("drugs"):
                self._by_drug[drug] = (*self._by_drug.get(drug, ()), *codes)
        self._classes = tuple(sorted(drug for drug in self._by_drug if drug.startswith(_CLASS)))
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, ingredients: Iterable[str]) -> tuple[str, ...] | None:
        """Return how codes begin that any of `ingredients` is taken for; None where one's uses are not known."""
        found: list[str] = []
        for ingredient in ingredients:
            if ingredient not in self._known:
                self._known[ingredient] = self._look_up(ingredient)
            if not self._known[ingredient]:
                return None
            found += self._known[ingredient]
        return tuple(found)

    def _look_up(self, ingredient: str) -> tuple[str, ...]:
        parts = {ingredient, *ingredient.split(_PARTS)}
        causes = [self._causes[part] for part in parts if part in self._causes]
        named = [self._by_drug[part] for part in sorted(parts) if part in self._by_drug]
        classed = [self._by_drug[one] for one in self._classes if any(cause.startswith(one) for cause in causes)]
        return tuple(dict.fromkeys(code for codes in (*named, *classed) for code in codes))
