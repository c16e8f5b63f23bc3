"""The server of this machine's services keeps a connection from request to request, and ends it where it must."""

import http.client
from urllib.parse import urlsplit

import pytest
from werkzeug.wrappers import Response

from adverse_events.local_aws.faults import Fault, spoilt
from adverse_events.local_aws.listener import listening


def answer(request):
    if request.path == "/fails":
        msg = "a post"
        raise ValueError(msg)
    if request.path == "/drops":
        raise ConnectionAbortedError
    if request.path == "/cut":
        return spoilt(Response(b"0123456789"), Fault.TRUNCATED)
    # /ignores leaves its body unread.
    return Response(b"" if request.path == "/ignores" else request.get_data() or b"nothing")


@pytest.fixture(scope="module")
def address():
    with listening(answer) as url:
        yield urlsplit(url).netloc


@pytest.fixture
def connection(address):
    connection = http.client.HTTPConnection(address, timeout=10)
    yield connection
    connection.close()


def ask(connection, path, **more):
    connection.request("POST", path, **more)
    answered = connection.getresponse()
    return answered.status, answered.read()


def test_requests_follow_one_another_on_one_connection_whatever_is_read_of_them(connection):
    assert ask(connection, "/", body=b"first") == (200, b"first")
    kept = connection.sock
    assert ask(connection, "/ignores", body=b"GET / HTTP/1.1\r\n\r\n" * 1000) == (200, b"")
    assert ask(connection, "/", body=b"second") == (200, b"second")
    assert ask(connection, "/") == (200, b"nothing")
    assert connection.sock is kept is not None


def test_an_answer_to_head_has_no_body_and_the_connection_goes_on(connection):
    connection.request("HEAD", "/")
    assert connection.getresponse().read() == b""
    assert ask(connection, "/", body=b"next") == (200, b"next")


def test_a_body_in_chunks_is_read_and_the_connection_ends(connection):
    chunks = (part for part in (b"in ", b"chunks"))
    assert ask(connection, "/", body=chunks, encode_chunked=True, headers={"Transfer-Encoding": "chunked"}) == (
        200,
        b"in chunks",
    )
    assert connection.sock is None


def test_leave_to_send_a_body_is_given_at_once(connection):
    assert ask(connection, "/", body=b"asked first", headers={"Expect": "100-continue"}) == (200, b"asked first")


def test_a_dropped_request_and_a_cut_answer_end_the_connection(connection):
    with pytest.raises(http.client.RemoteDisconnected):
        ask(connection, "/drops", body=b"x")
    connection.close()
    connection.request("POST", "/cut")
    with pytest.raises(http.client.IncompleteRead) as raised:
        connection.getresponse().read()
    assert raised.value.partial == b"01234"


def test_a_service_that_fails_answers_500_and_its_log_quotes_nothing(connection, caplog):
    assert ask(connection, "/fails")[0] == 500
    assert caplog.messages == ["POST /fails failed: ValueError"]
    assert ask(connection, "/", body=b"still here") == (200, b"still here")
