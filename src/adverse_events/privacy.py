"""Masking and pseudonyms: what is taken out of a post before anything is stored."""

from __future__ import annotations

import re

USER, URL, EMAIL, PHONE = "@user", "[link]", "[email]", "[phone]"

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"(?:https?://|www\.)\S+|\b(?:t\.co|bit\.ly|youtu\.be)/\S+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w@])[@＠]\w{1,30}")  # noqa: RUF001 - X links the full-width sign too
_PHONE = re.compile(r"(?<![\w.,+-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)|\d{2,4})[ .-]?\d{3,4}[ .-]?\d{3,4}(?![\w-])")


def mask_text(text: str) -> str:
    """Return `text` with e-mail addresses, links, @mentions and phone numbers replaced by placeholders.

    Training and serving see text through this one function, so that a placeholder means the same to both.
    """
    text = _EMAIL.sub(EMAIL, text)
    text = _URL.sub(URL, text)
    text = _HANDLE.sub(USER, text)
    return _PHONE.sub(PHONE, text)
