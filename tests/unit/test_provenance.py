"""The recipe: a hash that changes with every choice that decides the data, and with nothing else."""

from dataclasses import fields, replace

import pytest

from adverse_events.provenance import Provenance
from tests.staged_batches import PROVENANCE


@pytest.mark.parametrize("field", [field.name for field in fields(Provenance)])
def test_every_choice_decides_the_recipe(field):
    other = 0.75 if field == "ade_threshold" else "other"
    assert replace(PROVENANCE, **{field: other}).recipe_sha256 != PROVENANCE.recipe_sha256


def test_equal_choices_give_one_recipe():
    assert replace(PROVENANCE).recipe_sha256 == PROVENANCE.recipe_sha256
    assert len(bytes.fromhex(PROVENANCE.recipe_sha256)) == 32
