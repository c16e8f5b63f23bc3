"""prefect.yaml is the only list of deployments; each of its lines must hold."""

import importlib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]


def _flow(deployment):
    path, name = deployment["entrypoint"].split(":")
    return getattr(importlib.import_module(path.removesuffix(".py").replace("/", ".")), name)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: f"{d['entrypoint']}/{d['name']}")
def test_parameters_are_ones_the_flow_takes(deployment):
    flow = _flow(deployment)
    assert flow.validate_parameters(deployment.get("parameters", {})) is not None


def test_every_flow_is_deployed_as():
    named = sorted(
        f"{_flow(d).name}/{d['name']}: {(d.get('schedules') or [{}])[0].get('cron', 'on demand')}" for d in DEPLOYMENTS
    )
    assert named == [
        "backfill-adverse-events/local: on demand",
        "comply-with-deletions/daily: 40 4 * * *",
        "detect-adverse-events/hourly: 5 * * * *",
        "detect-adverse-events/local: on demand",
        "flight-check/daily: 0 6 * * *",
        "listen-adverse-events/local: on demand",
        "monitor-adverse-events/daily: 30 6 * * *",
        "report-adverse-events/daily: 15 6 * * *",
    ]


@pytest.mark.parametrize("flow", sorted({d["entrypoint"] for d in DEPLOYMENTS}))
def test_every_parameter_is_described_in_the_ui_form(flow):
    schema = _flow({"entrypoint": flow}).parameters.model_dump()
    undescribed = [name for name, field in schema["properties"].items() if not field.get("description")]
    assert undescribed == []
