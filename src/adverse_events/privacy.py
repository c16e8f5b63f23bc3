"""Masking and pseudonyms: what is taken out of a post before anything is stored."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, Field, SecretStr

from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

USER, URL, EMAIL, PHONE = "@user", "[link]", "[email]", "[phone]"

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SITES = "com|org|net|info|co|io|me|tv|ly|be|gg|app|link|health|gov|edu|uk|ie|ca|au|in|de|fr|es|it|nl|eu"
_URL = re.compile(r"[hH][tT]{2}[pP][sS]?://\S+|[wW]{3}\.\S+")
_PAGE = re.compile(  # a page without the scheme, such as a profile
    rf"\b(?:t\.co|bit\.ly|youtu\.be)/\S+|(?<![\w@.-])(?:[\w-]+\.)+(?:{_SITES})/\S+", re.IGNORECASE
)
_HANDLE = re.compile(r"(?<![\w@])[@＠]\w{1,30}")  # noqa: RUF001 - X links the full-width sign too
_DIGIT = re.compile(r"\d")
_PHONE = re.compile(
    r"(?<![\w.,+-])(?:"
    r"(?:\+?\d{1,3}[ .-]?)?(?:\(\d{2,4}\)|\d{2,4})[ .-]?\d{3,4}[ .-]?\d{3,4}"  # 555-123-4567, 1-800-..., +49 30 ...
    r"|\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){3,6}"  # +33 6 12 34 56 78
    r"|0\d(?:[ .-]\d{2}){4}"  # 06 12 34 56 78
    r"|0\d{4}[ .-]\d{6}"  # 07911 123456
    r")(?![\w-])"
)

KEY_BYTES = 32
"""Length of a generated key: as long as the hash it keys (RFC 2104, section 3)."""

SHORTEST_SECRET = 32
"""Characters a key given as a setting must have; a guessable key would let anyone walk back to a post."""

PSEUDONYM_BYTES = 16
"""A pseudonym is cut to 128 bits: a collision among a billion posts is less likely than 1 in 10^20."""


def mask_text(text: str) -> str:
    """Return `text` with e-mail addresses, links, @mentions and phone numbers replaced by placeholders.

    Training and serving see text through this one function, so that a placeholder means the same to both.
    """
    # Looking for the one character every match needs is quick, and spares most posts most of the searches.
    has_at_sign = "@" in text or "＠" in text  # noqa: RUF001 - as above
    if has_at_sign:
        text = _EMAIL.sub(EMAIL, text)
    if "://" in text or "www." in text.lower():
        text = _URL.sub(URL, text)
    if "/" in text:
        text = _PAGE.sub(URL, text)
    if has_at_sign:
        text = _HANDLE.sub(USER, text)
    return _PHONE.sub(PHONE, text) if _DIGIT.search(text) else text


class PrivacySettings(BaseModel, frozen=True, extra="forbid"):
    """How much of a post's identity is kept."""

    mode: Literal["signal", "case"] = Field(
        "signal",
        description="signal: post ids are stored as keyed hashes and authors not at all. case: post ids are kept and "
        "authors stored under a pseudonym; needs a legal basis, such as your own patients' channel.",
    )
    keep_text: Literal["masked", "spans", "none"] = Field(
        "masked",
        description="What is kept of a post's text: all of it, masked; only the spans of drugs, conditions, "
        "seriousness and special situations; nothing.",
    )
    identity_key: SecretStr | None = Field(
        None,
        min_length=SHORTEST_SECRET,
        description="Key of the hashes that stand for post ids and authors, at least 32 characters. Left out, a key is "
        "created once in your configuration folder; set it to let several machines write one lake.",
    )
    identity_key_secret: str | None = Field(
        None,
        description="Name or ARN of the Secrets Manager secret that holds the key as plaintext, where "
        "privacy.identity_key is not given.",
    )


class IdentityKey:
    """The key that turns ids into pseudonyms: HMAC-SHA256, 32 hex digits.

    Whoever holds the key can tell whether a given id is in the lake, which is how deletions find their row;
    nobody can read an id off a pseudonym. The key never enters the lake, a log or a `repr`.
    """

    def __init__(self, secret: bytes) -> None:
        """Use `secret`, at least 16 bytes that nobody can guess."""
        self._secret = secret

    @classmethod
    def from_store(cls, text: str, name: str) -> Self:
        """Return the key that a secret store keeps as `text` under `name`.

        Raises:
            UsageError: It is too short; the message names the secret and never quotes it.
        """
        if len(text) < SHORTEST_SECRET:
            msg = f"secret {name} holds {len(text)} characters; an identity key has at least {SHORTEST_SECRET}"
            raise UsageError(msg)
        return cls._from_text(text)

    @classmethod
    def from_secret(cls, secret: SecretStr) -> Self:
        """Return the key given as a setting. The line of a key file works too, and gives the key of that file."""
        return cls._from_text(secret.get_secret_value())

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Return the key in `path`, creating 32 random bytes there (mode 0600) if there is none.

        Processes that start at once agree on one key: the file appears whole or not at all, and the first wins.

        Raises:
            UsageError: The file cannot be read or written, is open to other users, or holds no key.
        """
        try:
            if not path.exists():
                _create_key(path)
            mode, text = stat.S_IMODE(path.stat().st_mode), path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"identity key {path} cannot be used ({type(error).__name__}); mend the file or set identity_key"
            raise UsageError(msg) from error
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            msg = f"identity key {path} is open to other users (mode {mode:04o}); run: chmod 600 {path}"
            raise UsageError(msg)
        if not re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", text):
            msg = (
                f"identity key {path} holds no key of {2 * KEY_BYTES} hex digits; put it back from a copy. A new key "
                "would give every post a new id, so that deletions no longer find their row"
            )
            raise UsageError(msg)
        return cls._from_text(text)

    @classmethod
    def _from_text(cls, text: str) -> Self:
        is_hex = re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", text) is not None
        return cls(bytes.fromhex(text) if is_hex else text.encode())

    @property
    def fingerprint(self) -> str:
        """Short name of the key (8 hex digits) that says nothing about it: a lake can notice another key."""
        return self.pseudonym("", "fingerprint")[:8]

    def pseudonym(self, value: str, domain: str) -> str:
        """Return the keyed hash of `value`: 32 hex digits.

        Args:
            value: Id to hide; any text without lone surrogates.
            domain: What kind of id it is, such as `tweet`: equal ids of two domains get unlike hashes.
        """
        return hmac.digest(self._secret, f"{domain}\0{value}".encode(), "sha256")[:PSEUDONYM_BYTES].hex()

    def __repr__(self) -> str:
        return f"IdentityKey(fingerprint={self.fingerprint!r})"


def _create_key(path: Path) -> None:
    """Put a new key at `path` unless somebody else does so first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib cannot open with a mode
            file.write(f"{secrets.token_hex(KEY_BYTES)}\n")
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, refuses to replace the key another process has just made.
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)


def stored_id(tweet_id: str, key: IdentityKey, *, keeps_ids: bool) -> str:
    """Return what is stored of a post's id: itself in case mode, else its pseudonym."""
    return tweet_id if keeps_ids else key.pseudonym(tweet_id, "tweet")


def stored_author(author_id: str | None, key: IdentityKey, *, keeps_ids: bool) -> str | None:
    """Return what is stored of a post's author: a pseudonym in case mode, else nothing."""
    return key.pseudonym(author_id, "author") if keeps_ids and author_id else None
