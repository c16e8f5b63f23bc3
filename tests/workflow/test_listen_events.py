"""Serious posts become Prefect events that say nothing of what was written."""

import re
from datetime import UTC, datetime
from pathlib import Path

import yaml
from prefect.automations import Automation

from adverse_events import assembly
from adverse_events.settings import load_settings
from tasks.listen import SERIOUS
from tests.landing_stores import post

PAGE = Path(__file__).parents[2] / "docs" / "live.md"
TEXT = "I was hospitalized two days after starting ibuprofen with a bleeding stomach ulcer, it was the ibuprofen"


def test_a_serious_post_is_told_with_criteria_codes_and_drugs_and_without_its_words():
    stations = assembly.stations_for(load_settings({"classifier.ade_threshold": 0.0}))
    mild = post(2, text="Since I take sertraline my mouth is a little dry", created_at=datetime(2026, 3, 1, tzinfo=UTC))
    assessed = stations.assess([post(1, text=TEXT), mild])
    assert assessed.n_positive == 2
    (event,) = assessed.serious
    assert event.tweet_id == post(1).tweet_id
    assert "hospitalization" in event.criteria
    assert event.drug_ingredients == ("ibuprofen",)
    assert not any(word in repr(event) for word in ("two days", "starting", "it was"))


def test_the_automation_in_the_page_is_one_that_prefect_takes():
    (example,) = re.findall(r"```yaml\n(automations:.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (automation,) = yaml.safe_load(example)["automations"]
    assert Automation.model_validate(automation).trigger.expect == {SERIOUS}
