"""The services of this machine stop in the middle of anything, and say nothing about it."""

import logging
import time
from contextlib import suppress
from threading import Thread

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from adverse_events.local_aws.stack import LocalAws
from adverse_events.serving import payload

ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=5)


def test_stopping_with_requests_a_crawl_and_a_job_under_way_leaves_no_traceback(monkeypatch, caplog, capfd):
    """A traceback of a thread fails this test by itself; one of a request would stand in the log or on the terminal."""
    with LocalAws() as aws:
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        made = aws.provision()
        s3, glue, runtime, sagemaker = (
            boto3.client(name, config=ONCE) for name in ("s3", "glue", "sagemaker-runtime", "sagemaker")
        )
        s3.put_object(Bucket=made.bucket, Key="in/a.jsonl", Body=payload.encode_line("0", "a headache").encode() * 500)
        sagemaker.create_transform_job(
            TransformJobName="stopped",
            ModelName=made.endpoint,
            TransformInput={
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{made.bucket}/in/"}},
                "SplitType": "Line",
            },
            TransformOutput={"S3OutputPath": f"s3://{made.bucket}/out/"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
        glue.start_crawler(Name=made.crawler)
        body = payload.encode_request([f"the tablets gave me a headache, day {day}" for day in range(900)])

        def ask():
            with suppress(BotoCoreError, ClientError):
                runtime.invoke_endpoint(EndpointName=made.endpoint, ContentType=payload.CONTENT_TYPE, Body=body)

        asking = [Thread(target=ask) for _ in range(4)]
        for thread in asking:
            thread.start()
        time.sleep(0.2)
    for thread in asking:
        thread.join()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert "Traceback" not in capfd.readouterr().err


def test_what_stopped_answers_nobody_on_a_connection_that_was_kept(monkeypatch):
    with LocalAws() as aws:
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        s3 = boto3.client("s3", config=ONCE)
        s3.list_buckets()
    with pytest.raises(BotoCoreError):
        s3.list_buckets()
