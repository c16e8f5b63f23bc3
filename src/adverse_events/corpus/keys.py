"""What makes two texts the same."""

from __future__ import annotations

import hashlib


def normalised(text: str) -> str:
    """Return `text` without differences of case and spacing: equal results are one text."""
    return " ".join(text.casefold().split())


def text_key(text: str) -> str:
    """Return what names a text without showing it: the first 16 hex digits of its SHA-256, as it stands, in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
