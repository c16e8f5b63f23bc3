"""What tests of one kind share: an account in moto that can be made to fail, an endpoint and a coder that can."""

import pytest
import torch

from adverse_events.aws.settings import AwsSettings
from tests.comprehend_server import comprehend_server
from tests.endpoint_server import EndpointServer
from tests.faulty_service import Trouble
from tests.moto_server import REGION, cloud_at, forget_all, make_bucket, moto_server


@pytest.fixture(scope="module")
def trouble():
    """What fails on the way to `moto`."""
    return Trouble()


@pytest.fixture(scope="module")
def moto(trouble):
    """Address of a moto server, one per module."""
    with moto_server(trouble) as url:
        yield url


@pytest.fixture
def cloud(request, moto, trouble, monkeypatch):
    """An account with one empty bucket; a module's MAX_ATTEMPTS says how patient it is."""
    settings = AwsSettings(region=REGION, max_attempts=getattr(request.module, "MAX_ATTEMPTS", 1))
    cloud = cloud_at(moto, monkeypatch, settings)
    make_bucket(cloud)
    yield cloud
    trouble.rules.clear()
    forget_all(moto)


@pytest.fixture(scope="module")
def listening():
    """An endpoint's server, one per module; tests take it as `server`."""
    with EndpointServer() as server:
        yield server


@pytest.fixture
def server(listening):
    """The endpoint's server, without faults and without a memory."""
    listening.heal()
    return listening


@pytest.fixture(scope="module")
def running():
    """Comprehend Medical's server, one per module; tests take it as `service`."""
    with comprehend_server() as running:
        yield running


@pytest.fixture
def service(running, monkeypatch):
    """Comprehend Medical, without faults, as this process reaches it."""
    return running.reset(monkeypatch)


@pytest.fixture(scope="module")
def one_thread():
    """Train on one core: other tests run beside these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
