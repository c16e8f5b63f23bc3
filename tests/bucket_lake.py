"""A lake of a folder put into a bucket, for tests of what reads and lists it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from adverse_events.lake.receipt import Part, Receipt
from adverse_events.staging import Tally

if TYPE_CHECKING:
    from pathlib import Path

    from adverse_events.aws.session import Cloud

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def upload(cloud: Cloud, folder: Path, url: str) -> str:
    """Put every object of the lake in `folder` under `url` and return `url`."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and ".locks" not in path.parts:
            key = f"{prefix}/{path.relative_to(folder).as_posix()}"
            cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    return url


def receipts_of(folder: Path) -> list[Receipt]:
    """Return a receipt per receipt file of the lake in `folder`, with the parts beside it; its counts are left out."""
    receipts = []
    for path in sorted(folder.glob("receipts/*/*/*.parquet")):
        partition = path.parent.relative_to(folder / "receipts")
        parts = sorted(p for t in ("assessments", "rejects") for p in (folder / t / partition).glob("*.parquet"))
        listed = tuple(Part(part.relative_to(folder).as_posix(), 0, 0, "") for part in parts)
        receipts.append(Receipt(path.relative_to(folder).as_posix(), EPOCH, EPOCH, Tally(), parts=listed))
    return receipts
