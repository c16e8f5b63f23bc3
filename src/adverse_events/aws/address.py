"""Addresses in S3, as settings give them. Needs no AWS library."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_LOOKS_LIKE_S3 = re.compile(r"(?i)s3a?n?:")
_ADDRESS = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")
"""Bucket names: 3 to 63 of lower case letters, digits, dots and hyphens.

Source:
    General purpose bucket naming rules, Amazon S3 User Guide, read 2026-11.
"""


def checked(path: str) -> str:
    """Return `path` as it is: a path on this machine, or a whole ``s3://`` address.

    Raises:
        ValueError: It begins like an address in S3 and is none, and would name a strange local folder.
    """
    if _LOOKS_LIKE_S3.match(path) and not _ADDRESS.fullmatch(path):
        msg = f"{path} is not an address in S3; write s3://bucket/folder"
        raise ValueError(msg)
    return path


Place = Annotated[str, AfterValidator(checked)]
"""A path on this machine or an ``s3://`` address."""
