"""Masks and pseudonyms: what must never be stored, and the key that stands between."""

import os
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from adverse_events.errors import UsageError
from adverse_events.privacy import IdentityKey, PrivacySettings, mask_text

KEY = IdentityKey(b"k" * 32)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("thanks @Jane_Doe1, feeling better", "thanks @user, feeling better"),
        ("(@jane) ＠jane @jane's", "(@user) @user @user's"),  # noqa: RUF001 - the full-width sign
        ("mail jane.doe+x@mail.example.org now", "mail [email] now"),
        ("on @jane@social.example today", "on @[email] today"),
        ("see https://t.co/AbC123 and HTTP://EXAMPLE.ORG/a?b=@jane", "see [link] and [link]"),
        ("WWW.example.org or t.co/AbC123", "[link] or [link]"),
        ("I am on instagram.com/jane.doe", "I am on [link]"),
        ("call 555-123-4567 or (555) 123-4567", "call [phone] or [phone]"),
        ("call 1-800-555-0199, +1 (555) 123-4567", "call [phone], [phone]"),
        ("+44 20 7946 0958 / 07911 123456", "[phone] / [phone]"),
        ("+49 30 1234567, +33 6 12 34 56 78, 06 12 34 56 78", "[phone], [phone], [phone]"),
    ],
)
def test_what_names_a_person_is_masked(text, masked):
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "20 mg twice a day, then 1,500 mg, now 0.25 mg",
        "since 2026-03-01 at 10:30, 3/4 of a tablet, 120/80, mg/ml",
        "5 out of 10 @ night, me @ work, 10-15 a week, 2019-2021",
        "b.i.d./t.i.d. and/or 24/7, e.g./i.e. and drugs.com",
        "10,000 steps, 1-2-3, vitamin B12, covid-19, room 1234",
    ],
)
def test_doses_dates_and_ordinary_signs_are_left_alone(text):
    assert mask_text(text) == text


@given(st.text(st.sampled_from("a1 .@/:+-()[]wcomhtps＠0"), max_size=60))  # noqa: RUF001 - as above
def test_masking_twice_changes_nothing_more(text):
    assert mask_text(mask_text(text)) == mask_text(text)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("part", ["a.", "a@", "1 ", "+1 (1) ", "www.", "a-b.", "@", "0", "a.a@a.", "(12)"])
def test_no_text_makes_masking_slow(part):
    mask_text(part * (25_000 // len(part)) + "/")


def test_a_pseudonym_depends_on_value_domain_and_key():
    made = {
        KEY.pseudonym("1", "tweet"),
        KEY.pseudonym("2", "tweet"),
        KEY.pseudonym("1", "author"),
        IdentityKey(b"l" * 32).pseudonym("1", "tweet"),
    }
    assert len(made) == 4
    assert KEY.pseudonym("1", "tweet") in made
    assert all(len(pseudonym) == 32 and set(pseudonym) <= set("0123456789abcdef") for pseudonym in made)


def test_a_pseudonym_never_changes_between_versions():
    """A lake is matched against ids hashed years later: this value is a promise."""
    assert KEY.pseudonym("1765000000000000001", "tweet") == "037d3c62ee386636be493072539b7501"


def test_a_key_is_created_once_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "config" / "identity.key"
    key = IdentityKey.load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert IdentityKey.load_or_create(path).pseudonym("1", "tweet") == key.pseudonym("1", "tweet")
    assert [file.name for file in path.parent.iterdir()] == ["identity.key"]
    assert IdentityKey.load_or_create(tmp_path / "other.key").fingerprint != key.fingerprint


def test_processes_that_start_at_once_agree_on_one_key(tmp_path):
    path = tmp_path / "identity.key"
    code = (
        "import sys, pathlib; from adverse_events.privacy import IdentityKey; sys.stdin.readline();"
        "print(IdentityKey.load_or_create(pathlib.Path(sys.argv[1])).fingerprint)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    fingerprints = {process.communicate()[0].strip() for process in processes}
    assert all(process.returncode == 0 for process in processes)
    assert fingerprints == {IdentityKey.load_or_create(path).fingerprint}


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_key_that_others_may_read_is_refused_with_the_command_that_mends_it(tmp_path):
    path = tmp_path / "identity.key"
    IdentityKey.load_or_create(path)
    path.chmod(0o640)
    with pytest.raises(UsageError, match=r"chmod 600 .*identity\.key"):
        IdentityKey.load_or_create(path)


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 64, b"g" * 64])
def test_a_damaged_key_is_refused_and_never_replaced(tmp_path, content):
    path = tmp_path / "identity.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UsageError, match=r"identity\.key"):
        IdentityKey.load_or_create(path)
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_made_is_refused_with_another_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="set identity_key"):
        IdentityKey.load_or_create(tmp_path / "file" / "identity.key")


def test_the_line_of_a_key_file_is_the_same_key_as_a_setting(tmp_path):
    path = tmp_path / "identity.key"
    made = IdentityKey.load_or_create(path)
    assert IdentityKey.from_secret(SecretStr(path.read_text().strip())).fingerprint == made.fingerprint
    assert IdentityKey.from_secret(SecretStr("a sentence of at least 32 characters")).fingerprint != made.fingerprint


def test_a_short_key_is_refused():
    with pytest.raises(ValidationError, match="identity_key"):
        PrivacySettings(identity_key="short")


def test_keys_are_not_shown():
    secret = "a sentence of at least 32 characters"  # noqa: S105 - the point
    settings = PrivacySettings(identity_key=secret)
    assert secret not in f"{settings!r}{IdentityKey.from_secret(settings.identity_key)!r}{settings.model_dump_json()}"


def test_the_default_keeps_least_about_people():
    assert (PrivacySettings().mode, PrivacySettings().keep_text) == ("signal", "masked")


@pytest.mark.parametrize("wrong", [{"mode": "open"}, {"keep_text": "all"}, {"keep_author": True}])
def test_unknown_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        PrivacySettings(**wrong)
