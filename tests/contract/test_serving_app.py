"""The server over real HTTP: what the endpoint's client sends is answered, and what nobody should send does no harm."""

import asyncio
import json
import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.model_folder import starter_model
from adverse_events.serving import handler, payload
from adverse_events.serving.app import Limits
from adverse_events.serving.server import listen
from tests.serving_parts import FACTS, ChosenModel, serving

JSON = {"Content-Type": payload.CONTENT_TYPE}
TEXTS = ["started sertraline and I have been throwing up since", "lovely weather by the canal", ""]


@pytest.fixture(scope="module")
def server():
    with serving(handler.load(starter_model())) as client:
        yield client


@pytest.fixture
def model():
    return ChosenModel()


@pytest.fixture
def chosen(model):
    with serving(model, Limits(requests=4, read_seconds=0.5)) as client:
        yield client


def _ask(client, texts, **headers):
    return client.post("/invocations", content=payload.encode_request(texts), headers={**JSON, **headers})


def _inside(client, n):
    """Wait until the server has let `n` requests in: one more is then refused."""
    deadline = time.monotonic() + 10
    while (answer := client.get("/ping")) and time.monotonic() < deadline:
        if answer.json()["requests_under_way"] == n:
            return
        time.sleep(0.01)
    pytest.fail("the requests never arrived")


def test_the_clients_request_is_answered_with_the_embedded_classifiers_scores(server):
    answer = _ask(server, TEXTS)
    rows = payload.decode_answer(answer.content, len(TEXTS), says_truncated=True)
    expected = EmbeddedClassifier(starter_model()).probabilities(TEXTS)
    assert [[row.scores["NOT_ADE"], row.scores["ADE"]] for row in rows] == expected.tolist()
    assert payload.decode_card(answer.headers[payload.ATTRIBUTES_HEADER]) == handler.load(starter_model()).facts.card
    assert answer.headers["Content-Type"] == payload.CONTENT_TYPE


def test_batch_transforms_lines_come_back_one_line_each(server):
    body = "".join(payload.encode_line(str(i), text) for i, text in enumerate(TEXTS)).encode()
    answer = server.post("/invocations", content=body, headers={"Content-Type": payload.LINES_TYPE})
    assert [json.loads(line) for line in answer.text.split("\n")] == _ask(server, TEXTS).json()
    assert answer.headers["Content-Type"] == payload.LINES_TYPE
    said = server.get("/execution-parameters").json()
    assert (said["BatchStrategy"], said["MaxPayloadInMB"]) == ("MULTI_RECORD", 6)


@pytest.mark.parametrize(
    ("content_type", "body", "status", "reason"),
    [
        (payload.CONTENT_TYPE, b"", 400, "UTF-8 JSON"),
        (payload.CONTENT_TYPE, b"caf\xe9", 400, "UTF-8 JSON"),
        (payload.CONTENT_TYPE, b'{"inputs": ["fine", null]}', 400, '"inputs"[1] is a NoneType'),
        (payload.LINES_TYPE, b'{"inputs": "fine"}\n{}', 400, "record 2"),
        ("text/csv", b"fine", 415, "send application/json"),
        (payload.CONTENT_TYPE, b" " * (6 * 1024 * 1024 + 1), 413, "longer than 6,291,456 bytes"),
        (payload.CONTENT_TYPE, b" " * (8 * 1024 * 1024), 413, "longer than 6,291,456 bytes"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_bad_request_gets_its_status_and_a_reason_and_the_next_one_is_answered(
    server, content_type, body, status, reason
):
    answer = server.post("/invocations", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert reason in answer.json()["error"]
    assert _ask(server, ["next"]).status_code == 200


def test_an_answer_of_an_unknown_type_and_another_page_are_refused_in_json(server):
    assert _ask(server, TEXTS, Accept="image/png").status_code == 406
    assert server.get("/nowhere").json() == {"error": "ask GET /ping or POST /invocations"}
    answer = server.get("/invocations")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_no_texts_and_ten_thousand_texts_are_answered_in_full(server):
    assert _ask(server, []).json() == []
    rows = payload.decode_answer(_ask(server, ["a", "b"] * 5000).content, 10_000, says_truncated=True)
    assert rows[0] == rows[9998]
    assert rows[1] == rows[9999]


def test_a_model_without_scores_answers_null_and_is_never_ready():
    with serving(ChosenModel(ade=np.nan)) as client:
        (row,) = payload.decode_answer(_ask(client, ["a"]).content, 1, says_truncated=True)
        assert np.isnan(row.scores["ADE"])
        assert client.get("/ping").status_code == 503


def test_an_unexpected_failure_is_500_without_text_or_traceback_until_the_model_scores_again(chosen, model, caplog):
    model.error = RuntimeError("cannot read 'my cousin was sick'")
    with caplog.at_level(logging.DEBUG):
        answer = _ask(chosen, ["my cousin was sick"])
        assert chosen.get("/ping").status_code == 503
    assert answer.status_code == 500
    assert answer.json() == {"error": "the model failed on this request; the log says where"}
    assert "unexpected RuntimeError at serving_parts.py" in caplog.text
    assert "cousin" not in caplog.text
    assert "Traceback" not in caplog.text
    model.error = None
    answer = chosen.get("/ping").json()
    assert (answer["model_version"], answer["requests_under_way"]) == (FACTS.version, 0)


def test_an_answer_does_not_wait_for_its_head_to_be_acknowledged():
    """Head and body are two writes: held together, every answer takes 40 ms."""
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_too_many_requests_at_once_are_told_to_come_back_and_those_let_in_are_answered(chosen, model):
    model.may_score.clear()
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(_ask, chosen, ["a"]) for _ in range(4)]
        _inside(chosen, 4)
        refused = _ask(chosen, ["a"])
        model.may_score.set()
        assert [future.result().status_code for future in waiting] == [200] * 4
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert _ask(chosen, ["a"]).status_code == 200


def test_hundreds_of_clients_who_come_back_are_all_answered_with_their_own_scores(server):
    texts = [f"tablet {i} made me sick" for i in range(200)]
    expected = EmbeddedClassifier(starter_model()).probabilities(texts)[:, 1].tolist()

    async def ask(client, text):
        for _ in range(60):
            answer = await client.post("/invocations", content=payload.encode_request([text]))
            if answer.status_code == 200:
                return payload.decode_answer(answer.content, 1, says_truncated=True)[0].scores["ADE"]
            assert answer.status_code == 503
            await asyncio.sleep(float(answer.headers["Retry-After"]))
        return None

    async def everybody():
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=server.base_url, headers=JSON, timeout=60, limits=limits) as client:
            return await asyncio.gather(*(ask(client, text) for text in texts))

    assert asyncio.run(everybody()) == expected


def _connection(client):
    return socket.create_connection((client.base_url.host, client.base_url.port))


def _head(length):
    lines = ("POST /invocations HTTP/1.1", "Host: here", "Content-Type: application/json", f"Content-Length: {length}")
    return "\r\n".join((*lines, "", ""))


def test_a_client_that_dribbles_holds_up_nobody_and_is_let_go(chosen):
    with _connection(chosen) as slow:
        slow.sendall(_head(1000).encode() + b'{"inputs"')
        _inside(chosen, 1)
        assert _ask(chosen, ["a"]).status_code == 200
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")
    _inside(chosen, 0)


def test_a_client_that_leaves_frees_the_model_for_the_next(server):
    """Twenty thousand texts take a minute and more; nobody waits for them any longer."""
    body = payload.encode_request(["I was sick all night after the second of these tablets"] * 20_000)
    with _connection(server) as leaving:
        leaving.sendall(_head(len(body)).encode() + body)
        _inside(server, 1)
        time.sleep(1)  # past its tokens, among its calls of the model
    started = time.monotonic()
    assert _ask(server, ["a"]).status_code == 200
    assert time.monotonic() - started < 5
    _inside(server, 0)


def test_a_client_that_leaves_before_its_body_ends_frees_its_place(chosen):
    with _connection(chosen) as leaving:
        leaving.sendall(_head(1000).encode())
        _inside(chosen, 1)
    _inside(chosen, 0)
