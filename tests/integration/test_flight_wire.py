"""A flight check over the wire: an endpoint that is well, broken, slow, mislabelled, or not there."""

import pytest

from adverse_events import assembly
from adverse_events.aws.settings import AwsSettings
from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.model_folder import starter_model
from adverse_events.errors import PermanentServiceError
from adverse_events.flight import FlightError, load_probes
from adverse_events.serving.payload import ModelCard
from adverse_events.settings import load_settings
from tests.endpoint_server import NAME, SLOW_SECONDS, make_endpoint
from tests.moto_server import REGION, cloud_at

SETTINGS = {
    "endpoint.name": NAME,
    "coding.service": "comprehend",
    "aws.region": REGION,
    "aws.max_attempts": 1,
    "flight.longest_classify_s": SLOW_SECONDS / 2,
}


@pytest.fixture(scope="module")
def model():
    return EmbeddedClassifier(starter_model(), threads=1)


@pytest.fixture(scope="module", autouse=True)
def account(moto):
    with pytest.MonkeyPatch.context() as patch:
        make_endpoint(cloud_at(moto, patch, AwsSettings(region=REGION)))
        yield


@pytest.fixture
def live(moto, server, service, monkeypatch, model):
    """The starter behind an endpoint, Comprehend Medical beside it."""
    cloud_at(moto, monkeypatch, sagemaker_runtime=server.url, comprehendmedical=service.url)
    server.scores = model.probabilities
    server.card = ModelCard(model.model_version, "ADE", model.ade_threshold)
    return server


def _fails(*kinds, **settings):
    with pytest.raises(FlightError) as raised:
        assembly.checked_flight(load_settings(SETTINGS, settings))
    assert tuple(finding.kind for finding in raised.value.findings) == kinds
    return str(raised.value)


def test_what_is_well_passes_and_says_who_answered(live, model, tmp_path):
    flight = assembly.checked_flight(load_settings(SETTINGS))
    assert flight.model_version == model.model_version
    assert flight.coder_version.startswith("comprehend-medical")
    path = tmp_path / "flight.json"
    path.write_text(flight.model_dump_json())
    assembly.checked_flight(load_settings(SETTINGS, {"flight.baseline": path}))


def test_each_probe_is_asked_by_itself(live):
    assembly.checked_flight(load_settings(SETTINGS))
    assert all([probe.text] in live.requests for probe in load_probes())


def test_where_runs_use_batch_jobs_the_endpoint_is_asked_all_the_same(live):
    """A job for each probe would take hours."""
    jobs = {"endpoint.mode": "transform", "endpoint.transform_path": "s3://ade-jobs/scratch"}
    assembly.checked_flight(load_settings(SETTINGS, jobs))
    assert all([probe.text] in live.requests for probe in load_probes())


def test_a_broken_model_fails(live):
    live.scores = lambda texts: [[0.02, 0.98]] * len(texts)
    assert "wrong: price, pharmacy" in _fails("answers")


def test_swapped_labels_fail(live, model):
    live.scores = lambda texts: model.probabilities(texts)[:, ::-1]
    _fails("answers")


def test_another_model_and_a_slow_one_fail(live):
    live.card = live.card._replace(version="other+000000000000")
    live.fault = lambda _number, _texts: "slow"
    _fails("latency", "version", **{"flight.model_version": "minilm-l6-ade+0"})


def test_an_endpoint_that_does_not_answer_is_an_error_of_its_own(live):
    live.fault = lambda _number, _texts: "denied"
    with pytest.raises(PermanentServiceError):
        assembly.checked_flight(load_settings(SETTINGS))
