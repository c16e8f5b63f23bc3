"""What an endpoint is asked before a post is sent, and what stops a run there."""

import numpy as np
import pytest

from adverse_events.aws.settings import AwsSettings
from adverse_events.classification.endpoint.classifier import SageMakerClassifier
from adverse_events.classification.endpoint.settings import EndpointSettings
from adverse_events.classification.transform.classifier import TransformClassifier
from adverse_events.errors import ContractError, PermanentServiceError, TransientServiceError, UsageError
from tests.endpoint_server import CARD, NAME, connected, endpoint_in_moto, make_endpoint, toy_scores
from tests.moto_server import REGION, cloud_at, moto_server

DENIED = set()


def _denying(app):
    """Stand before the control plane and deny what `DENIED` names."""

    def answer(environ, start_response):
        if environ.get("HTTP_X_AMZ_TARGET", "").removeprefix("SageMaker.") not in DENIED:
            return app(environ, start_response)
        start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
        return [b'{"__type": "AccessDeniedException", "message": "User is not authorized"}']

    return answer


@pytest.fixture(scope="module")
def moto():
    with moto_server(_denying) as url:
        yield url


@pytest.fixture(scope="module")
def account(moto, listening):
    with pytest.MonkeyPatch.context() as patch:
        cloud = connected(
            cloud_at(moto, patch, AwsSettings(region=REGION, max_attempts=2), sagemaker_runtime=listening.url)
        )
        make_endpoint(cloud, models=("ade-model", "ade-model-b"))
        yield cloud


@pytest.fixture
def cloud(account, server):
    return account


def _open(cloud, **settings):
    return SageMakerClassifier.open(cloud, EndpointSettings(**{"name": NAME, **settings}))


@pytest.fixture
def denied():
    """Operations of the control plane that the credentials lack."""
    yield DENIED
    DENIED.clear()


def test_our_container_says_what_it_serves(cloud, server):
    classifier = _open(cloud)
    assert classifier.model_version == CARD.version
    assert (classifier.labels, classifier.ade_threshold) == (("NOT_ADE", "ADE"), 0.4)
    assert classifier.served_by == f"endpoint {NAME}"
    assert len(server.requests) == 1


def test_a_foreign_endpoint_is_named_by_its_configuration_and_models(cloud, server):
    server.card = None
    assert _open(cloud).model_version == "ade-config/ade-model+ade-model-b"
    assert _open(cloud, variant="Variant1").model_version == "ade-config/ade-model-b"
    assert _open(cloud).ade_threshold == 0.5


def test_credentials_that_may_only_invoke_are_enough(cloud, server, denied):
    server.card = None
    denied.add("DescribeEndpointConfig")
    assert _open(cloud).model_version == "ade-config"
    denied.add("DescribeEndpoint")
    classifier = _open(cloud)
    assert classifier.model_version == NAME
    (scored,) = classifier.score([["one", "two"]])
    np.testing.assert_array_equal(scored.probabilities, toy_scores(["one", "two"]))


def test_a_job_needs_to_see_the_model(cloud, denied):
    settings = EndpointSettings(name=NAME, transform_path="s3://ade-jobs/scratch")
    with pytest.raises(UsageError, match=r"serves ade-model and ade-model-b; set endpoint\.variant"):
        TransformClassifier.open(cloud, settings)
    chosen = TransformClassifier.open(cloud, settings.model_copy(update={"variant": "Variant1"}))
    assert chosen.model_name == "ade-model-b"
    denied.add("DescribeEndpointConfig")
    with pytest.raises(PermanentServiceError, match="allow sagemaker:DescribeEndpoint and DescribeEndpointConfig"):
        TransformClassifier.open(cloud, settings)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("Creating", "the endpoint is Creating; wait until it is InService"),
        ("Failed", r"the endpoint is Failed \(no capacity\); see its CloudWatch log"),
        ("Deleting", r"the endpoint is Deleting; deploy it again or correct endpoint\.name"),
    ],
)
def test_an_endpoint_that_does_not_serve_is_not_asked(cloud, server, monkeypatch, status, says):
    monkeypatch.setattr(endpoint_in_moto(), "endpoint_status", status)
    monkeypatch.setattr(endpoint_in_moto(), "failure_reason", "no capacity" if status == "Failed" else None)
    with pytest.raises(PermanentServiceError, match=says):
        _open(cloud)
    assert server.requests == []


@pytest.mark.parametrize("status", ["Updating", "SystemUpdating", "RollingBack"])
def test_an_endpoint_serves_while_it_is_updated(cloud, monkeypatch, status):
    monkeypatch.setattr(endpoint_in_moto(), "endpoint_status", status)
    assert _open(cloud).model_version == CARD.version


def test_an_endpoint_that_does_not_exist_is_named_with_its_region(cloud, server):
    with pytest.raises(PermanentServiceError, match="no-such-one: it does not exist in region eu-west-1"):
        _open(cloud, name="no-such-one")
    assert server.requests == []


def test_a_variant_that_does_not_exist_is_refused_with_those_that_do(cloud):
    with pytest.raises(UsageError, match=r"no variant Blue; set endpoint\.variant to one of: AllTraffic, Variant1"):
        _open(cloud, variant="Blue")


def test_a_chosen_variant_is_the_one_that_answers(cloud):
    classifier = _open(cloud, variant="Variant1")
    list(classifier.score([["one"]]))
    assert classifier.served_by == f"endpoint {NAME}, variant Variant1"


def test_no_endpoint_is_a_usage_error(cloud):
    with pytest.raises(UsageError, match=r"set endpoint\.name"):
        _open(cloud, name=None)


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("missing", PermanentServiceError, "is not there"),
        ("poison", PermanentServiceError, "HTTP 400 even for a harmless text"),
        ("crash", TransientServiceError, "container answered HTTP 500"),
        ("html", ContractError, "is not JSON; is a proxy in between"),
    ],
)
def test_an_endpoint_that_cannot_score_a_harmless_text_stops_the_run(cloud, server, fault, error, says):
    server.fault = lambda _number, _texts: fault
    with pytest.raises(error, match=says):
        _open(cloud)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b'[{"generated_text": "once"}, {"generated_text": "upon"}]', "is it a text classifier"),
        (b"[[[0.1, 0.2], [0.3, 0.4]], [[0.1, 0.2], [0.3, 0.4]]]", "is it a text classifier"),
        (b'[[{"entity": "B-DRUG", "score": 0.9, "word": "x"}], []]', "is it a text classifier"),
        (b'{"predictions": [0.1, 0.9]}', "is a JSON dict, not a list"),
        (b'[[{"label": "A", "score": 3.2}, {"label": "ADE", "score": -1}]]', "1 answers came back for 2 texts"),
    ],
)
def test_an_endpoint_of_another_task_is_told_from_a_classifier(cloud, server, monkeypatch, answer, says):
    monkeypatch.setattr(server, "answer", lambda _texts, _fault: answer)
    with pytest.raises(ContractError, match=says):
        _open(cloud)


def test_scores_that_are_no_probabilities_are_seen_at_once(cloud, server):
    server.scores = lambda texts: np.full((len(texts), 2), 3.2)
    with pytest.raises(ContractError, match="no probabilities, 0-1"):
        _open(cloud)


def test_a_classifier_of_other_classes_is_refused_with_their_names(cloud, server):
    server.card, server.labels = None, ("NEGATIVE", "POSITIVE")
    with pytest.raises(ContractError, match=r"NEGATIVE, POSITIVE: none is known .* set endpoint\.ade_label"):
        _open(cloud)
    assert _open(cloud, ade_label="POSITIVE").labels == ("NEGATIVE", "POSITIVE")
    assert _open(cloud, ade_label="NEGATIVE").labels == ("POSITIVE", "NEGATIVE")


def test_one_text_per_request_is_kept_to_from_the_first(cloud, server):
    _open(cloud, texts_per_request=1)
    assert [len(texts) for texts in server.requests] == [1]
