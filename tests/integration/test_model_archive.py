"""The model archive and the image, tried as the services run them: extracted, in a process that lacks this project."""

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ade.serve import serve
from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.model_folder import starter_model
from adverse_events.errors import ContractError, UsageError
from adverse_events.hosting.archive import write_archive
from adverse_events.serving import payload
from adverse_events.serving.facts import ModelFacts
from adverse_events.serving.server import listen

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "deployments" / "serving"

TEXTS = [
    "started sertraline last week and I have been throwing up every single morning since",
    "lovely weather for a walk by the canal",
    "is ibuprofen sold without a prescription in Spain?",
    "that second tablet gave me a rash 😖 all over both arms",
    "We walked along the river and talked about the film. " * 40 + "The drug made me throw up.",
    "",
]

ALONE = """
import runpy, sys
sys.modules["adverse_events"] = None
sys.path.insert(0, sys.argv.pop(1))
"""
"""Start of a script in which the project cannot be imported and the folder of the first argument can."""

HANDLE = """
import inference, json
model = inference.model_fn(sys.argv[1])
body = sys.stdin.buffer.read()
prediction = inference.predict_fn(inference.input_fn(body, "application/json"), model)
print(inference.output_fn(prediction, "application/json"))
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return write_archive(starter_model(), tmp_path_factory.mktemp("archive") / "model.tar.gz")


@pytest.fixture(scope="module")
def extracted(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("opt-ml-model")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def expected():
    return EmbeddedClassifier(starter_model()).probabilities(TEXTS).tolist()


def _scores(body):
    rows = payload.decode_answer(body, len(TEXTS), says_truncated=True)
    return [[row.scores["NOT_ADE"], row.scores["ADE"]] for row in rows]


def _python(script, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-I", "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


@contextmanager
def _served(packages, model, folder):
    """Run the image's command in `folder` on the packages in `packages`; provides a client and the process."""
    script = ALONE + 'runpy.run_module("serving", run_name="__main__", alter_sys=True)'
    environment = {**os.environ, "SAGEMAKER_BIND_TO_PORT": "0"}
    with _python(script, packages, "serve", "--model", model, cwd=folder, env=environment) as process:
        try:
            line = process.stderr.readline().decode()
            port = re.search(r"on http://0\.0\.0\.0:(\d+)$", line.strip())
            assert port, line
            with httpx.Client(base_url=f"http://127.0.0.1:{port[1]}", timeout=60) as client:
                yield client, process
        finally:
            process.kill()


def test_the_extracted_handler_scores_as_the_embedded_classifier_without_this_project(extracted, expected, tmp_path):
    with _python(ALONE + HANDLE, extracted / "code", extracted, cwd=tmp_path) as process:
        answer, complaint = process.communicate(payload.encode_request(TEXTS), timeout=60)
    assert (process.returncode, complaint) == (0, b"")
    assert _scores(answer) == expected


def test_the_extracted_server_scores_as_the_embedded_classifier_and_finishes_what_is_under_way(
    extracted, expected, tmp_path
):
    with _served(extracted / "code", extracted, tmp_path) as (client, process):
        answer = client.post(
            "/invocations", content=payload.encode_request(TEXTS), headers={"Content-Type": payload.CONTENT_TYPE}
        )
        assert _scores(answer.content) == expected
        assert payload.decode_card(answer.headers[payload.ATTRIBUTES_HEADER]) == ModelFacts.read(starter_model()).card

        long_request = payload.encode_request(TEXTS[:4] * 150)
        answers = []
        asking = threading.Thread(
            target=lambda: answers.append(
                client.post("/invocations", content=long_request, headers={"Content-Type": payload.CONTENT_TYPE})
            )
        )
        asking.start()
        while client.get("/ping").json()["requests_under_way"] == 0:
            assert asking.is_alive()
        process.send_signal(signal.SIGTERM)
        asking.join(60)
        assert len(answers[0].json()) == 600
        assert process.wait(30) in {0, -signal.SIGTERM}
        assert b"Traceback" not in process.stderr.read()


def test_the_archive_holds_the_model_at_its_root_its_code_beside_it_and_nothing_else(archive):
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
    names = [member.name for member in members]
    assert names == sorted(names)
    assert {"model.json", "model.onnx", "weights.bin", "code/inference.py", "code/serving/handler.py"} <= set(names)
    assert {name.split("/")[0] for name in names} == {"code", "model.json", *ModelFacts.read(starter_model()).sha256}
    assert {(member.mtime, member.uid, member.gid, member.mode, member.isreg()) for member in members} == {
        (0, 0, 0, 0o644, True)
    }


def test_the_same_model_gives_the_same_bytes_and_replaces_an_older_archive(archive, tmp_path):
    target = tmp_path / "new folder" / "other-name.tar.gz"
    target.parent.mkdir()
    target.write_bytes(b"an older archive")
    assert write_archive(starter_model(), target) == target
    assert target.read_bytes() == archive.read_bytes()
    assert list(target.parent.iterdir()) == [target]


def test_the_hugging_face_image_gets_the_tested_runtime_and_keeps_its_own_tokenizers(extracted):
    lines = (extracted / "code" / "requirements.txt").read_text().splitlines()
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines[0] in constraints
    assert not any("==" in line for line in lines[1:])


def test_what_cannot_be_an_archive_is_refused(tmp_path):
    with pytest.raises(UsageError, match="name the archive to write"):
        write_archive(starter_model(), tmp_path)
    with pytest.raises(UsageError, match=r"holds no model\.json"):
        write_archive(tmp_path, tmp_path / "model.tar.gz")
    for path in starter_model().iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes() if path.suffix == ".json" else b"damaged")
    with pytest.raises(ContractError, match="corrupt"):
        write_archive(tmp_path, tmp_path / "model.tar.gz")
    assert not (tmp_path / "model.tar.gz").exists()


def _instructions(word):
    return [
        line.removeprefix(word).strip()
        for line in (IMAGE / "Dockerfile").read_text().splitlines()
        if line.startswith(word)
    ]


def test_the_image_installs_what_was_tested_and_no_torch():
    pins = [line for line in (IMAGE / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert {pin.split("==")[0] for pin in pins} == {"numpy", "onnxruntime", "starlette", "tokenizers", "uvicorn"}
    assert set(pins) <= set((ROOT / "constraints.txt").read_text().splitlines())


def test_the_image_runs_without_root_and_its_builder_is_given_no_more_than_it_copies():
    copied = [source for line in _instructions("COPY") for source in line.split()[:-1]]
    assert all((ROOT / source).exists() for source in copied)
    ignore = (IMAGE / "Dockerfile.dockerignore").read_text().splitlines()
    assert sorted(line[1:] for line in ignore if line.startswith("!")) == sorted(copied)
    assert _instructions("ARG") == ["USER=65534"]
    assert _instructions("USER") == ["${USER}"]


def test_the_images_command_serves_what_the_image_copies(tmp_path, expected):
    """The image as far as it goes without a builder: its copied folder under its own name, its command, its port."""
    assert json.loads(_instructions("ENTRYPOINT")[0]) == ["python", "-m", "serving"]
    source, target = _instructions("COPY")[-1].split()
    (tmp_path / target).symlink_to(ROOT / source)
    with _served(tmp_path, starter_model(), tmp_path) as (client, _):
        assert client.get("/ping").status_code == 200
        answer = client.post(
            "/invocations", content=payload.encode_request(TEXTS), headers={"Content-Type": payload.CONTENT_TYPE}
        )
        assert _scores(answer.content) == expected


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--model", "/nowhere"], rb"/nowhere/model\.json cannot be read"),
        (["--port", "70000"], rb"port 70000 cannot be taken"),
        (["--port", "soon"], rb"invalid int value"),
    ],
)
def test_a_server_that_cannot_start_says_why_in_one_line(arguments, reason):
    command = [sys.executable, "-m", "adverse_events.serving", "--model", str(starter_model()), *arguments]
    result = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert result.returncode in {1, 2}
    assert re.search(reason, result.stderr)
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_ade_serve_answers_on_this_machine_and_stops_calmly(stop):
    script = "import sys; from pathlib import Path; from ade.serve import serve; sys.exit(serve(None, 0))"
    with _python(script) as process:
        try:
            port = re.search(rb"on http://127\.0\.0\.1:(\d+)/invocations", process.stderr.readline())
            assert port
            url = f"http://127.0.0.1:{port[1].decode()}"
            assert httpx.get(f"{url}/ping", timeout=30).status_code == 200
            process.send_signal(stop)
            assert process.wait(30) in {0, -signal.SIGTERM}
            assert process.stderr.read() == b""
        finally:
            process.kill()


def test_ade_serve_names_a_port_that_is_taken():
    with listen("127.0.0.1", 0) as taken, pytest.raises(UsageError, match="name another with --port"):
        serve(None, taken.getsockname()[1])
