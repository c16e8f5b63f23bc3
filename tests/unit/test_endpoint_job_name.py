"""Names of Batch Transform jobs."""

import re

import pytest

from adverse_events.classification.transform.job import job_name

ALLOWED = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
"""CreateTransformJob API reference, TransformJobName."""


@pytest.mark.parametrize("endpoint", ["ade", "e" * 63, "a-name-cut-at-hyphen-----and-more", "x" * 19 + "-y"])
def test_a_job_is_named_for_its_endpoint_as_sagemaker_allows(endpoint):
    name = job_name(endpoint)
    assert re.fullmatch(ALLOWED, name)
    assert name.startswith(f"adverse-events-{endpoint[:15]}")


def test_jobs_of_one_moment_differ():
    assert len({job_name("ade") for _ in range(50)}) == 50
