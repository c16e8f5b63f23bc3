"""A model behind an endpoint and the same model in process say the same, bit for bit, in few requests."""

from itertools import islice

import numpy as np
import pytest

from adverse_events.aws.settings import AwsSettings
from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.endpoint.classifier import SageMakerClassifier
from adverse_events.classification.endpoint.settings import EndpointSettings
from adverse_events.classification.model_folder import starter_model
from adverse_events.sample.generate import generate
from adverse_events.serving import handler
from tests.endpoint_server import NAME, EndpointServer, make_endpoint
from tests.moto_server import cloud_at, moto_server

LONG = "We talked about the film and the weather for a while. " * 60 + "Then sertraline made me throw up all night."
TEXTS = [post.text for post in islice(generate(400, seed=3), 296)] + ["", " ", 'quotes " \\ \u2028 and ☕ é', LONG]


@pytest.fixture
def endpoint(monkeypatch):
    """Serve the starter model with the container's own code; provide the server and the account."""
    model = handler.load(starter_model(), threads=1)
    with EndpointServer() as server, moto_server() as moto:
        server.scores = lambda texts: model.score(texts).probabilities
        server.labels, server.card = model.facts.labels, model.facts.card
        cloud = cloud_at(moto, monkeypatch, AwsSettings(), sagemaker_runtime=server.url)
        make_endpoint(cloud)
        yield server, cloud


def test_an_endpoint_scores_as_the_model_in_process_does(endpoint):
    server, cloud = endpoint
    embedded = EmbeddedClassifier(starter_model(), threads=1)
    remote = SageMakerClassifier.open(cloud, EndpointSettings(name=NAME, texts_per_request=64))
    assert (remote.model_version, remote.labels) == (embedded.model_version, embedded.labels)
    assert remote.ade_threshold == embedded.ade_threshold

    chunks = [TEXTS[:100], [], TEXTS[100:117], TEXTS[117:]]
    found = list(remote.score(chunks))
    expected = list(embedded.score(chunks))
    for there, here in zip(found, expected, strict=True):
        np.testing.assert_array_equal(there.probabilities, here.probabilities)
        assert there.refusals == here.refusals == {}
    n_probes = 1
    assert len(server.requests) == n_probes + -(-len(TEXTS) // 64)


def test_the_usual_request_size_asks_at_most_once_per_thirty_posts(endpoint):
    """The older sample asked once per post."""
    server, cloud = endpoint
    server.scores = lambda texts: np.full((len(texts), 2), 0.5)
    remote = SageMakerClassifier.open(cloud, EndpointSettings(name=NAME))
    server.requests.clear()
    posts = [post.text for post in islice(generate(1100, seed=4), 1000)]
    list(remote.score([posts]))
    assert len(server.requests) <= len(posts) / 30
    assert len(server.requests) == 1
