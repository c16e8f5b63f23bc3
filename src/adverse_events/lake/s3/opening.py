"""What is checked when a lake on S3 is opened: that it is one, made alike, on a store that keeps writers apart."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

import awswrangler as wr
import pyarrow as pa
import pyarrow.parquet as pq

from adverse_events.aws.errors import translated
from adverse_events.errors import ContractError, PermanentServiceError, UsageError
from adverse_events.lake.layout import MARKER_KEY
from adverse_events.lake.marker import Marker
from adverse_events.lake.s3.lease import LOCKS
from adverse_events.lake.s3.store import UNCONDITIONAL, ChangedError
from adverse_events.tables import ASSESSMENTS

if TYPE_CHECKING:
    from adverse_events.aws.session import Cloud
    from adverse_events.lake.s3.store import S3Store

_FOOTER_BYTES = 512 * 1024
"""More than the footer of any part: about 4 KB for each of its row groups, ten by default, and its schema."""

_MAGIC = b"PAR1"


def marker_of(store: S3Store, wanted: Marker) -> tuple[Marker, bool]:
    """Return the lake's marker, and whether it was made now, of `wanted`, under a prefix that was empty.

    Raises:
        UsageError: The prefix holds something else.
        ContractError: The marker is damaged or newer code wrote it.
        PermanentServiceError: The store does not keep two writers apart.
        ServiceError: The bucket cannot be reached, read or written.
    """
    stored = _stored_marker(store)
    if stored:
        return stored, False
    other = store.first_key(besides=LOCKS)
    if other:
        # Another run may have made the lake between the two looks.
        stored = _stored_marker(store)
        if stored:
            return stored, False
        msg = f"{store.url} is not a lake: it has no {MARKER_KEY}, but holds {other}; choose an empty folder"
        raise UsageError(msg)
    _check_conditions_hold(store)
    try:
        store.put(MARKER_KEY, wanted.to_json().encode(), replaces=None)
    except ChangedError:
        # Another run made it a moment ago.
        return _stored_marker(store) or wanted, False
    return wanted, True


def check_newest_part(cloud: Cloud, store: S3Store) -> None:
    """Refuse a lake whose newest part of `assessments` has columns of other types than today's table.

    Args:
        cloud: The account.
        store: The lake's objects.

    Raises:
        ContractError: It has, or cannot be read.
        ServiceError: The bucket cannot be read.
    """
    with translated("s3", f"list {store.url}/{ASSESSMENTS.name}/"):
        dates = wr.s3.list_directories(f"{store.url}/{ASSESSMENTS.name}/", boto3_session=cloud.session)
        parts = wr.s3.list_objects(dates[-1], suffix=".parquet", boto3_session=cloud.session) if dates else []
    if not parts:
        return
    key = parts[-1].removeprefix(f"{store.url}/")
    found = store.get(key, n_last_bytes=_FOOTER_BYTES)
    if not found:
        return
    try:
        # The footer is all that a schema needs: what stands before it is only pointed at.
        stored = pq.read_schema(pa.BufferReader(_MAGIC + found.data))
    except pa.ArrowInvalid as error:
        raise ContractError(parts[-1], f"{error}; delete that object and run its window again") from error
    conflicts = [
        f"{field.name} is {stored.field(field.name).type} there and {field.type} here"
        for field in ASSESSMENTS.schema
        if field.name in stored.names and stored.field(field.name).type != field.type
    ]
    conflicts += [f"{name} is unknown here" for name in stored.names if name not in ASSESSMENTS.schema.names]
    if conflicts:
        raise ContractError(
            ASSESSMENTS.name,
            f"other code made {parts[-1]}: {'; '.join(conflicts)}; use that code's version, or another lake folder",
        )


def _stored_marker(store: S3Store) -> Marker | None:
    found = store.get(MARKER_KEY)
    return Marker.parse(found.data, f"{store.url}/{MARKER_KEY}") if found else None


def _check_conditions_hold(store: S3Store) -> None:
    """Ask once in a lake's life for what must be refused."""
    key = f"{LOCKS}/probe.json"
    with suppress(ChangedError):
        etag = store.put(key, uuid.uuid4().bytes, replaces=None)
        try:
            store.put(key, uuid.uuid4().bytes, replaces=None)
        except ChangedError:
            store.delete(key, etag)
        else:
            raise PermanentServiceError("s3", f"PutObject {store.url}/{key}", UNCONDITIONAL)
