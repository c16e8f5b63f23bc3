"""The client of X against a server of its protocol: what it waits for, what it gets over, what it explains."""

import logging
import pickle
import traceback

import httpx
import pytest
from pydantic import SecretStr

from adverse_events import assembly, progress
from adverse_events.aws.doctor.examination import checks_for, examine
from adverse_events.errors import (
    AnswerError,
    PermanentServiceError,
    RequestRefusedError,
    TransientServiceError,
    UsageError,
)
from adverse_events.local_x.faults import PASSING, Fault
from adverse_events.local_x.listener import LocalX
from adverse_events.settings import load_settings
from adverse_events.source.x.client import XClient
from adverse_events.source.x.errors import AllowanceError, RateLimitError, refusal
from tests.moto_server import cloud_at, moto_server
from tests.x_server import SECRET, add_posts, client_for


@pytest.fixture
def server():
    with LocalX() as running:
        running.ids = add_posts(running.state, 3)
        yield running


def look_up(client, server):
    return client.get("/2/tweets", {"ids": ",".join(server.ids)})


@pytest.mark.parametrize("fault", [*PASSING, Fault.NO_RESET, Fault.SLOW])
def test_what_passes_is_got_over(server, fault):
    server.state.faults.set("lookup", {fault: 1.0}, lasting=2)
    with client_for(server) as client:
        assert [post["id"] for post in look_up(client, server)["data"]] == server.ids
    assert server.state.faults.done["lookup", fault] == (1 if fault is Fault.SLOW else 2)


def test_a_rate_limit_is_waited_for_by_the_servers_own_clock_and_announced(server):
    """The server's clock is eight months behind this machine's: only its own Date header tells how long."""
    server.state.limits["lookup"] = 2
    notes, before = [], server.state.clock.seconds()
    with client_for(server) as client, progress.listening(lambda *_: None, notes.append):
        for _ in range(3):
            look_up(client, server)
    assert 900 <= server.state.clock.seconds() - before < 905
    assert len(notes) == 1
    assert "rate limit" in notes[0]
    assert server.state.asked["lookup"] == 4


def test_a_reset_that_is_too_far_away_is_not_waited_for(server):
    server.state.limits["lookup"] = 1
    with client_for(server, longest_wait_s=60) as client:
        look_up(client, server)
        with pytest.raises(RateLimitError) as caught:
            look_up(client, server)
    assert 800 < caught.value.wait_s < 902
    assert server.state.asked["lookup"] == 2


def test_a_throttle_that_never_ends_ends_the_request(server):
    server.state.faults.set("lookup", {Fault.NO_RESET: 1.0})
    with client_for(server, max_attempts=3) as client, pytest.raises(TransientServiceError):
        look_up(client, server)
    assert server.state.asked["lookup"] == 3


@pytest.mark.parametrize(
    ("change", "error", "remedy"),
    [
        ({"token": "another"}, PermanentServiceError, "generate it again"),
        ({"is_enrolled": False}, PermanentServiceError, "attach the App to a Project"),
        ({"posts_left": 0}, AllowanceError, "monthly cap"),
    ],
)
def test_what_does_not_pass_is_asked_once_and_explained(server, change, error, remedy):
    for name, value in change.items():
        setattr(server.state, name, value)
    with client_for(server) as client, pytest.raises(error, match=remedy):
        look_up(client, server)
    assert server.state.asked["lookup"] == 1


def test_a_plan_without_the_full_archive_is_told_so(server):
    server.state.products = frozenset({"recent"})
    with client_for(server) as client, pytest.raises(PermanentServiceError, match="plan does not include") as caught:
        client.get("/2/tweets/search/all", {"query": "advil"})
    assert "x://recent" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (402, None),
        (402, {"title": "CreditsDepleted", "type": "https://api.x.com/2/problems/credits", "detail": "none left"}),
        (403, {"title": "SpendCapReached", "type": "https://api.x.com/2/problems/spend-cap"}),
        (429, {"type": "https://api.x.com/2/problems/usage-capped"}),
    ],
)
def test_what_costs_too_much_is_an_allowance_and_no_throttle(status, body):
    assert isinstance(refusal("GET /2/tweets", status, body), AllowanceError)


@pytest.mark.parametrize("body", [None, [], "text", {"errors": "none"}, {"errors": [3]}, {"title": 7, "errors": None}])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 302])
def test_any_body_of_a_refusal_leads_to_an_error_of_ours(status, body):
    error = refusal("GET /2/tweets", status, body)
    assert isinstance(error, TransientServiceError | PermanentServiceError)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own error


def test_a_refused_parameter_is_named(server):
    with client_for(server) as client, pytest.raises(RequestRefusedError, match="ids"):
        client.get("/2/tweets", {"ids": "not-an-id"})
    assert server.state.asked["lookup"] == 1


def test_a_page_that_is_always_a_proxys_is_given_up(server):
    server.state.faults.set("lookup", {Fault.HTML: 1.0})
    with client_for(server, max_attempts=2) as client, pytest.raises(AnswerError, match="no JSON"):
        look_up(client, server)


def test_nobody_there_is_transient_and_names_no_token():
    settings = load_settings({"x.base_url": "http://127.0.0.1:9", "x.max_attempts": 2}).x
    with (
        XClient(settings, SecretStr(SECRET), sleep=lambda _: None) as client,
        pytest.raises(TransientServiceError, match="ConnectError"),
    ):
        client.get("/2/tweets")


def test_neither_token_nor_ids_nor_posts_reach_a_log_or_an_error(server, caplog):
    caplog.set_level(logging.DEBUG)
    server.state.token = SECRET
    server.state.faults.set("lookup", {Fault.HALF_JSON: 0.3, Fault.SERVER_ERROR: 0.3})
    with client_for(server, SECRET, max_attempts=20) as client:
        for _ in range(8):
            look_up(client, server)
        server.state.token = "changed"  # noqa: S105 - as above
        with pytest.raises(PermanentServiceError) as caught:
            look_up(client, server)
        logged = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
        shown = f"{logged} {caught.value!r} {client!r}"
    assert "asking again" in shown
    assert SECRET not in shown
    assert "dizzy" not in shown
    assert not any(tweet_id in shown for tweet_id in server.ids)


def test_an_address_that_an_answer_names_is_never_sent_the_token():
    """A redirect is not followed, and upload and download have a client without the token."""
    settings = load_settings({"x.base_url": "http://127.0.0.1:9"}).x
    with XClient(settings, SecretStr(SECRET)) as client:
        assert "authorization" not in client._plain.headers
        assert not client._http.follow_redirects


@pytest.mark.parametrize("token", ["qqqq words", "qqqq\there", "qqqq\nbreak", "qqqqïve", "", "Bearer "])
def test_what_can_be_no_token_is_refused_without_being_quoted(token, monkeypatch):
    """Nor does the traceback that --debug prints show it."""
    monkeypatch.setenv("ADE_X__BEARER_TOKEN", token)
    with pytest.raises(UsageError, match=r"x\.bearer_token: .*is no bearer token") as caught:
        load_settings()
    assert "qqqq" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("given", ["Bearer AAAA%2Fbb", " AAAA%2Fbb\n"])
def test_a_token_copied_with_its_surroundings_is_understood(given, monkeypatch):
    monkeypatch.setenv("ADE_X__BEARER_TOKEN", given)
    settings = load_settings()
    assert settings.x.bearer_token.get_secret_value() == "AAAA%2Fbb"
    assert "AAAA" not in repr(settings)


@pytest.mark.parametrize("url", ["http://api.x.com", "api.x.com", "https://me:pw@api.x.com", "https://api.x.com?q=1"])
def test_the_token_travels_encrypted_or_not_at_all(url):
    with pytest.raises(UsageError, match=r"x\.base_url"):
        load_settings({"x.base_url": url})


def test_the_token_comes_from_secrets_manager_and_is_checked_there_too(monkeypatch):
    with moto_server() as url:
        cloud = cloud_at(url, monkeypatch)
        cloud.client("secretsmanager").create_secret(Name="x", SecretString=f" Bearer {SECRET}\n")
        cloud.client("secretsmanager").create_secret(Name="wrong", SecretString="two words")
        token = assembly.token_for(load_settings({"x.bearer_token_secret": "x"}))
        assert token.get_secret_value() == SECRET
        with pytest.raises(UsageError, match="stored bearer token of X is no bearer token") as caught:
            assembly.token_for(load_settings({"x.bearer_token_secret": "wrong"}))
        assert "two words" not in str(caught.value)
        with pytest.raises(PermanentServiceError, match="GetSecretValue none"):
            assembly.token_for(load_settings({"x.bearer_token_secret": "none"}))


def test_a_token_is_no_flag():
    with pytest.raises(UsageError, match=r"x\.bearer_token is a secret"):
        load_settings({"x.bearer_token": SECRET})


def test_answers_come_from_one_connection(server):
    """httpx keeps it alive; a client per request would shake hands for each page."""
    with client_for(server) as client:
        look_up(client, server)
        look_up(client, server)
        pool = client._http._transport._pool
        assert len(pool.connections) == 1
    assert isinstance(client._http, httpx.Client)


def test_the_doctor_asks_the_endpoint_that_a_run_needs_and_reads_no_post(server, monkeypatch):
    monkeypatch.setenv("ADE_X__BEARER_TOKEN", server.state.token)
    settings = load_settings({"source.path": "x://all", "x.base_url": server.address})

    def finding():
        return next(each for each in examine(checks_for(settings)) if each.name == "X API")

    assert (finding().status, finding().found) == ("ok", "answers; the drugs take 80 queries")
    server.state.products = frozenset({"recent"})
    assert finding().status == "missing"
    assert "plan does not include" in finding().found
    assert server.state.served == 0
