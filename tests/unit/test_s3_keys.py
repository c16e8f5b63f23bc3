"""Addresses and keys of a lake in a bucket."""

import pytest

from adverse_events.errors import UsageError
from adverse_events.lake import layout
from adverse_events.lake.s3.publishing import partition_of
from adverse_events.lake.s3.store import bucket_and_prefix
from tests.staged_batches import hours


@pytest.mark.parametrize(
    ("url", "bucket", "prefix"),
    [
        ("s3://ade-lake", "ade-lake", ""),
        ("s3://ade-lake/", "ade-lake", ""),
        ("s3://ade-lake/pharma/lake", "ade-lake", "pharma/lake/"),
        ("s3://ade-lake/pharma/lake/", "ade-lake", "pharma/lake/"),
        ("s3://ade.lake.2026/Ängste und Co", "ade.lake.2026", "Ängste und Co/"),
    ],
)
def test_an_address_is_a_bucket_and_the_start_of_every_key(url, bucket, prefix):
    assert bucket_and_prefix(url) == (bucket, prefix)


@pytest.mark.parametrize(
    "url",
    ["", "lake", "/lake", "s3:/ade-lake", "S3://ade-lake", "s3://a", "s3://ADE/lake", "s3://-ade/x", "s3://ade/*"],
)
def test_anything_else_is_refused_with_the_form_to_use(url):
    with pytest.raises(UsageError, match="is not s3://bucket/folder"):
        bucket_and_prefix(url)


def test_a_part_and_its_receipt_are_of_one_partition():
    (window,) = hours(1)

    assert partition_of(layout.part_key("rejects", window, 3)) == window.partition
    assert partition_of(layout.receipt_key(window)) == window.partition
    assert partition_of(layout.undated_receipt_key("posts.jsonl")) == layout.UNDATED_PARTITION
