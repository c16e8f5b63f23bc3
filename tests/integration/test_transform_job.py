"""The Batch Transform classifier over the wire: S3 and the control plane in moto, the job run by the container's code.

moto accepts a job and calls it completed at once; here its creation starts a thread that does what SageMaker does.
"""

import json
import logging
import re
from itertools import chain
from threading import Thread

import numpy as np
import pytest
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from adverse_events.aws.settings import AwsSettings
from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.endpoint.settings import EndpointSettings
from adverse_events.classification.model_folder import starter_model
from adverse_events.classification.transform.classifier import TransformClassifier
from adverse_events.classification.transform.files import BYTES_PER_FILE, JobFolder
from adverse_events.classification.transform.job import job_request, run_job
from adverse_events.errors import ContractError, PermanentServiceError, UsageError
from adverse_events.serving import handler, payload
from tests.endpoint_server import NAME, connected, make_endpoint, toy_scores
from tests.moto_server import cloud_at, make_bucket, moto_server

WORD = "zebrafish"
CHUNKS = [[f"{WORD} {chunk} {row}" for row in range(n)] for chunk, n in enumerate((3, 0, 40, 1))]
BUCKET = "ade-jobs"
PATH = f"s3://{BUCKET}/scratch"


class Container:
    """Plays SageMaker's part: sends a job's lines to the model, joins, filters and writes.

    Attributes:
        spoil: Changes the lines of an output file before they are written.
        status: What a job ends as.
        reason: Why it failed.
        spoilt_by: What a file holds that it failed on; the other files have an output all the same.
        requests: Number of lines in each request to the model.
        input_objects: Of the last job: by name of the object, what S3 says of it.
    """

    def __init__(self, cloud, scores=toy_scores, labels=("NOT_ADE", "ADE")):
        self.cloud, self.scores, self.labels = cloud, scores, labels
        self.spoil = lambda lines: lines
        self.status, self.reason, self.spoilt_by = "Completed", "", b""
        self.requests, self.jobs, self.input_objects = [], [], {}

    def start(self, job):
        self.jobs.append(job)
        Thread(target=self.run, args=(job,), daemon=True).start()

    def run(self, job):
        s3 = self.cloud.client("s3")
        prefix = job.transform_input["DataSource"]["S3DataSource"]["S3Uri"].removeprefix(f"s3://{BUCKET}/")
        output = job.transform_output["S3OutputPath"].removeprefix(f"s3://{BUCKET}/")
        for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]:
            answer = s3.get_object(Bucket=BUCKET, Key=item["Key"])
            self.input_objects[item["Key"].rsplit("/", 1)[-1]] = answer
            lines = answer["Body"].read().splitlines(keepends=True)
            if self.status == "Completed" or (self.spoilt_by and not any(self.spoilt_by in line for line in lines)):
                body = b"".join(self.spoil(list(self.answered(job, lines))))
                s3.put_object(Bucket=BUCKET, Key=output + item["Key"].removeprefix(prefix) + ".out", Body=body)
        job.transform_job_status, job.failure_reason = self.status, self.reason

    def answered(self, job, lines):
        n_lines = len(lines) if job.batch_strategy == "MultiRecord" else 1
        assert job.data_processing == {"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
        for first in range(0, len(lines), n_lines):
            request = lines[first : first + n_lines]
            self.requests.append(len(request))
            answers = self.invoke(b"".join(request), job.transform_input["ContentType"])
            for line, answer in zip(request, answers, strict=True):
                joined = {**json.loads(line), "SageMakerOutput": answer}
                yield json.dumps({name: joined[name] for name in ("id", "SageMakerOutput")}).encode() + b"\n"

    def invoke(self, body, content_type):
        """Answer one request as the real container does, with this one's scores."""
        request = handler.input_fn(body, content_type)
        scores = handler.Scores(self.scores(request.texts), [False] * len(request.texts))
        answer = handler.output_fn(handler.Prediction(request, scores, self.labels, None), content_type)
        answers = payload.decode_lines(answer.encode())
        # One JSON request of one text: a Hugging Face container puts its classes in a list of one.
        return answers if content_type == payload.LINES_TYPE else [[next(answers)]]


DENIED = set()


def _denying(app):
    """Stand before S3 and deny what `DENIED` names: a request's query, such as ``delete``."""

    def answer(environ, start_response):
        if environ["QUERY_STRING"] not in DENIED:
            return app(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "application/xml")])
        return [b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"]

    return answer


@pytest.fixture(scope="module")
def moto():
    with moto_server(_denying) as url:
        yield url


@pytest.fixture
def denied():
    yield DENIED
    DENIED.clear()


@pytest.fixture(scope="module")
def cloud(moto, listening):
    with pytest.MonkeyPatch.context() as patch:
        cloud = connected(cloud_at(moto, patch, AwsSettings(max_attempts=2), sagemaker_runtime=listening.url))
        make_bucket(cloud, BUCKET)
        make_endpoint(cloud)
        yield cloud


@pytest.fixture
def container(cloud, server, monkeypatch):
    container, created = Container(cloud), SageMakerModelBackend.create_transform_job

    def create(backend, **request):
        job = created(backend, **request)
        job.transform_job_status = "InProgress"
        container.start(job)
        return job

    monkeypatch.setattr(SageMakerModelBackend, "create_transform_job", create)
    return container


def _open(cloud, **settings):
    return TransformClassifier.open(cloud, EndpointSettings(name=NAME, **{"transform_path": PATH, **settings}))


def _objects(cloud):
    return [item["Key"] for item in cloud.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def test_chunks_come_back_in_order_and_nothing_is_left_on_s3(cloud, container):
    classifier = _open(cloud)
    scored = list(classifier.score(CHUNKS))
    assert [len(chunk.probabilities) for chunk in scored] == [3, 0, 40, 1]
    found = np.concatenate([chunk.probabilities for chunk in scored])
    np.testing.assert_array_equal(found, toy_scores(list(chain.from_iterable(CHUNKS))))
    assert _objects(cloud) == []
    assert container.requests == [44]
    assert classifier.served_by == "Batch Transform of model ade-model"


def test_the_model_is_named_as_the_endpoint_names_it(cloud, server):
    classifier = _open(cloud)
    assert (classifier.model_version, classifier.ade_threshold) == (server.card.version, 0.4)
    assert classifier.labels == ("NOT_ADE", "ADE")


def test_the_job_is_encrypted_tagged_and_named_for_people(moto, server, cloud, container, monkeypatch):
    key = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    keyed = cloud_at(moto, monkeypatch, AwsSettings(kms_key=key), sagemaker_runtime=server.url)
    list(_open(keyed, transform_instances=3, transform_instance="ml.c5.xlarge").score(CHUNKS))
    (job,) = container.jobs
    assert re.fullmatch(rf"adverse-events-{NAME}-\d{{8}}-\d{{6}}-[0-9a-f]{{6}}", job.transform_job_name)
    assert len(job.transform_job_name) <= 63
    assert job.tags == [{"Key": "project", "Value": "adverse-events"}]
    assert job.transform_resources == {"InstanceType": "ml.c5.xlarge", "InstanceCount": 3}
    assert job.transform_output["KmsKeyId"] == key
    (stored,) = container.input_objects.values()
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", key)


def test_large_inputs_are_several_files_and_still_one_order(cloud, container):
    """Each file is of bounded size; chunks need not end where files do."""
    chunks = [[f"{chunk} {row} {'x' * 30_000}" for row in range(50)] for chunk in range(6)]
    scored = list(_open(cloud).score(chunks))
    assert len(container.input_objects) == 3
    assert max(stored["ContentLength"] for stored in container.input_objects.values()) <= BYTES_PER_FILE
    found = np.concatenate([chunk.probabilities for chunk in scored])
    np.testing.assert_array_equal(found, toy_scores(list(chain.from_iterable(chunks))))


def test_a_post_too_large_for_a_request_is_refused_alone(cloud, container):
    (scored,) = _open(cloud).score([["before", "x" * 4_000_000, "after"]])
    assert scored.refusals.keys() == {1}
    assert "a job's request at most" in scored.refusals[1]
    assert np.isnan(scored.probabilities[1]).all()
    assert scored.is_truncated == [False, None, False]
    np.testing.assert_array_equal(scored.probabilities[[0, 2]], toy_scores(["before", "after"]))
    (only,) = _open(cloud).score([["x" * 4_000_000]])
    assert only.refusals.keys() == {0}
    assert len(container.jobs) == 1


def test_no_posts_start_no_job(cloud, container):
    classifier = _open(cloud)
    assert list(classifier.score([])) == []
    (empty,) = classifier.score([[]])
    assert empty.probabilities.shape == (0, 2)
    assert container.jobs == []


def test_a_foreign_container_gets_one_json_request_per_post(cloud, server, container):
    server.card = None
    (scored,) = _open(cloud).score([CHUNKS[0]])
    np.testing.assert_array_equal(scored.probabilities, toy_scores(CHUNKS[0]))
    assert container.requests == [1, 1, 1]
    assert scored.is_truncated == [None] * 3


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda lines: lines[1:], "1 have no answer and 0 more than one, and 0 answers belong to none.*rows 0"),
        (lambda lines: [*lines, lines[2]], "0 have no answer and 1 more than one.*rows 2"),
        (lambda lines: [*lines, lines[0].replace(b'"0"', b'"99"')], "and 1 answers belong to none.*rows 99"),
        (lambda lines: [*lines, lines[0].replace(b'"0"', f'"{WORD}"'.encode())], "and 1 answers belong to none"),
        (lambda _: [], "44 have no answer.*rows 0, 1, 2, 3, 4"),
        (lambda lines: [line.replace(b"SageMakerOutput", b"Output") for line in lines], "lacks its id"),
        (lambda lines: [line.replace(b"NOT_ADE", b"OTHER") for line in lines], "other classes than NOT_ADE, ADE"),
        (lambda lines: [b"<html>", *lines], "line 1 is not UTF-8 JSON"),
    ],
)
def test_answers_that_do_not_fit_the_posts_end_the_run(cloud, container, spoil, says):
    container.spoil = spoil
    with pytest.raises(ContractError, match=says) as raised:
        list(_open(cloud).score(CHUNKS))
    assert WORD not in str(raised.value)
    assert _objects(cloud) == []


def test_answers_in_another_order_are_joined_by_id(cloud, container):
    container.spoil = lambda lines: lines[::-1]
    found = np.concatenate([chunk.probabilities for chunk in _open(cloud).score(CHUNKS)])
    np.testing.assert_array_equal(found, toy_scores(list(chain.from_iterable(CHUNKS))))


@pytest.mark.parametrize(
    ("status", "reason"), [("Failed", "CapacityError: no instance"), ("Stopped", "no reason given")]
)
def test_a_job_that_ends_badly_says_why_and_leaves_nothing(cloud, container, status, reason):
    container.status, container.reason = status, reason if status == "Failed" else ""
    with pytest.raises(PermanentServiceError, match=rf"the job {status.lower()}: {reason}; see its log"):
        list(_open(cloud).score(CHUNKS))
    assert _objects(cloud) == []


@pytest.mark.parametrize("fault", ["poison", "crash"])
def test_a_post_that_fails_a_job_is_rejected_by_the_endpoint_and_the_others_are_scored(cloud, server, container, fault):
    """Only the file that holds it is asked of the endpoint; what the job did of the others stands."""
    chunks = [[f"{chunk} {row} {'x' * 30_000}" for row in range(50)] for chunk in range(4)]
    poison = chunks[3][2]
    container.status, container.reason, container.spoilt_by = "Failed", "ClientError: see job logs", poison.encode()
    server.fault = lambda _number, texts: fault if poison in texts else None
    classifier = _open(cloud)
    scored = list(classifier.score(chunks))
    assert [chunk.refusals.keys() for chunk in scored] == [set(), set(), set(), {2}]
    found = np.concatenate([chunk.probabilities for chunk in scored])
    expected = toy_scores(list(chain.from_iterable(chunks)))
    expected[152] = np.nan
    np.testing.assert_array_equal(found, expected)
    assert not any(chunks[0][0] in texts for texts in server.requests)
    assert classifier.served_by == f"Batch Transform of model ade-model, endpoint {NAME}, variant AllTraffic"
    assert _objects(cloud) == []


def test_a_job_that_takes_too_long_is_stopped(cloud, container, monkeypatch):
    """moto has no StopTransformJob; here it notes who was stopped."""
    stopped = []
    monkeypatch.setattr(
        SageMakerResponse,
        "stop_transform_job",
        lambda response: stopped.append(response._get_param("TransformJobName")) or "{}",
        raising=False,
    )
    container.status = "InProgress"
    with JobFolder(cloud, PATH, "job") as folder:
        folder.write([["one"]], [])
        request = job_request("job", "ade-model", folder, EndpointSettings(), many_per_request=True, kms_key=None)
        with pytest.raises(PermanentServiceError, match=r"raise endpoint\.transform_timeout_minutes"):
            run_job(cloud, request, timeout_minutes=0.01)
    assert stopped == ["job"]


def test_a_failing_source_of_texts_leaves_nothing_on_s3(cloud, container):
    def chunks():
        yield ["x" * (BYTES_PER_FILE // 2)] * 3
        raise KeyError("the source broke")

    with pytest.raises(KeyError, match="the source broke"):
        list(_open(cloud).score(chunks()))
    assert (_objects(cloud), container.jobs) == ([], [])


def test_closing_the_scores_leaves_nothing_on_s3(cloud, container):
    scores = _open(cloud).score(CHUNKS)
    next(scores)
    scores.close()
    assert _objects(cloud) == []


def test_objects_that_cannot_be_removed_are_named_and_the_scores_stand(cloud, container, denied, caplog):
    denied.add("delete")
    (scored,) = _open(cloud).score([CHUNKS[0]])
    np.testing.assert_array_equal(scored.probabilities, toy_scores(CHUNKS[0]))
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert re.search(rf"{PATH}/adverse-events-\S+ could not be removed .*AccessDenied.*remove it by hand", warning)
    denied.clear()
    for key in _objects(cloud):
        cloud.client("s3").delete_object(Bucket=BUCKET, Key=key)


@pytest.mark.parametrize(
    ("path", "says"),
    [(None, r"set endpoint\.transform_path"), ("jobs", "no folder on S3")],
)
def test_a_job_needs_a_folder_on_s3(cloud, path, says):
    with pytest.raises(UsageError, match=says):
        _open(cloud, transform_path=path)


def test_a_missing_bucket_is_named(cloud, container):
    with pytest.raises(PermanentServiceError, match=r"PutObject s3://no-such-bucket/.*NoSuchBucket"):
        list(_open(cloud, transform_path="s3://no-such-bucket/jobs").score(CHUNKS))


def test_logs_count_posts_and_carry_none(cloud, container, caplog):
    with caplog.at_level(logging.INFO, "adverse_events"):
        list(_open(cloud).score(CHUNKS))
    assert "44 posts in 1 files" in caplog.text
    assert "Completed after" in caplog.text
    assert WORD not in caplog.text


def test_a_job_scores_as_the_model_in_process_does(cloud, container):
    embedded = EmbeddedClassifier(starter_model(), threads=1)
    model = handler.model_fn(starter_model())
    container.scores = lambda texts: model.score(texts).probabilities
    texts = [f"day {n} on sertraline and my {part} hurts" for n in range(5) for part in ("head", "back", "stomach")]
    (scored,) = _open(cloud).score([texts])
    np.testing.assert_array_equal(scored.probabilities, embedded.probabilities(texts))
