"""A drop folder: notes, e-mails and tables of other channels, each read once it is complete, in whatever state."""

import csv
import json
import os
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from adverse_events.errors import UsageError
from adverse_events.settings import load_settings
from adverse_events.source.archive import Archive, ArchiveSettings
from adverse_events.source.drop import DropFolder
from adverse_events.source.drop_settings import DropSettings
from adverse_events.source.dropped_files import LocalDrop
from adverse_events.source.mail import own_words, read_mail, text_of_html

NOTE = "patient reports a rash two days after starting lamotrigine"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def drop(folder, name, content, *, age_s=3600):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def read(folder, *, source=None, **settings):
    files = LocalDrop(str(folder), settings.pop("settle_seconds", 60))
    made = DropFolder(files, source or ArchiveSettings(path=str(folder)), DropSettings(**settings))
    chunks = list(made.read())
    tweets = [tweet for chunk in chunks for tweet in chunk.tweets]
    rejects = [reject for chunk in chunks for reject in chunk.rejects]
    return tweets, rejects, files


def mail(text=NOTE, *, subject="Re: my tablets", html=None, date="Sun, 01 Mar 2026 09:30:00 +0100", **headers):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann Example <Ann@Example.org>", "you@example.org", subject
    if date:
        message["Date"] = date
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    if text is not None:
        message.set_content(text)
    if html is not None:
        if text is None:
            message.set_content(html, subtype="html")
        else:
            message.add_alternative(html, subtype="html")
    return message


def test_a_note_is_one_input_dated_by_its_name_and_named_by_its_folder(folder):
    drop(folder, "calls/2026-03-01T0930Z.txt", f"{NOTE}\n")
    (tweet,), rejects, _ = read(folder)

    assert (tweet.text, tweet.channel, tweet.tweet_id) == (NOTE, "calls", "calls/2026-03-01T0930Z.txt")
    assert tweet.created_at.isoformat() == "2026-03-01T09:30:00+00:00"
    assert rejects == []


@pytest.mark.parametrize(
    "name",
    ["2026-03-01T09:30Z.txt", "20260301T093000Z.txt", "call_2026-03-01_09-30-00Z_17.txt", "2026-03-01T1030+0100.txt"],
)
def test_times_in_names_are_read_in_the_usual_forms(folder, name):
    drop(folder, name, NOTE)
    (tweet,), _, _ = read(folder)
    assert tweet.created_at.isoformat() == "2026-03-01T09:30:00+00:00"


def test_a_time_without_a_zone_needs_the_setting(folder):
    drop(folder, "2026-03-01T1030.txt", NOTE)
    _, (reject,), _ = read(folder)
    assert (reject.reason, "drop.time_zone" in reject.detail) == ("naive_created_at", True)
    (tweet,), _, _ = read(folder, time_zone="Europe/Berlin")
    assert tweet.created_at.isoformat() == "2026-03-01T09:30:00+00:00"


def test_a_format_of_ones_own_may_be_a_day_alone(folder):
    drop(folder, "call-01.03.2026-17.txt", NOTE)
    (tweet,), _, _ = read(folder, time_format="call-%d.%m.%Y", time_zone="UTC")
    assert tweet.created_at.isoformat() == "2026-03-01T00:00:00+00:00"


def test_the_file_s_own_time_counts_only_where_a_setting_allows_it(folder):
    path = drop(folder, "note17.txt", NOTE)
    _, (reject,), _ = read(folder)
    assert (reject.reason, reject.created_at) == ("missing_created_at", None)
    (tweet,), _, _ = read(folder, time_from_file=True)
    assert abs(tweet.created_at.timestamp() - path.stat().st_mtime) < 0.01


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_notes_of_the_usual_encodings_are_read(folder, encoding):
    drop(folder, "2026-03-01T0930Z.txt", "müde seit Dienstag".encode(encoding))
    settings = {"encoding": "cp1252"} if encoding == "cp1252" else {}
    (tweet,), _, _ = read(folder, **settings)
    assert tweet.text == "müde seit Dienstag"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("2026-03-01T0930Z.txt", "müde".encode("cp1252"), "invalid_encoding"),
        ("2026-03-01T0930Z.txt", b"\x00\x01\x02junk", "not_text"),
        ("2026-03-01T0930Z.txt", b"", "empty_text"),
        ("2026-03-01T0930Z.txt", b"  \n ", "empty_text"),
        ("2026-03-01T0930Z.eml", b"", "not_an_email"),
        ("2026-03-01T0930Z.eml", b"\x89PNG\r\n\x1a\n\x00\x00\x00", "not_an_email"),
        ("2026-03-01T0930Z.eml", b"From: a@example.org\nDate: Sun, 01 Mar 2026 09:30:00 +0000\n\n", "empty_text"),
        ("x.eml", b"From: a@example.org\nSubject: rash\n\nwords\n", "missing_created_at"),
        ("forum.csv", b"", "unreadable_file"),
        ("forum.csv", b"a,b\n1,2\n", "unreadable_file"),
        ("forum.parquet", b"PAR1 no parquet", "unreadable_file"),
        ("forum.jsonl.gz", b"\x1f\x8b\x08\x00cut short", "unreadable_file"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_reject_with_its_name_and_stops_no_other(folder, name, content, reason):
    drop(folder, name, content)
    drop(folder, "2026-03-02T0930Z.txt", NOTE)
    (tweet,), (reject,), _ = read(folder)

    assert tweet.text == NOTE
    assert (reject.reason, reject.origin) == (reason, name)
    assert str(folder) not in reject.detail


def test_a_reject_of_a_note_with_a_time_keeps_it(folder):
    drop(folder, "2026-03-01T0930Z.txt", b"\x00")
    _, (reject,), _ = read(folder)
    assert reject.created_at.isoformat() == "2026-03-01T09:30:00+00:00"


def test_files_that_may_still_grow_are_left_for_the_next_run(folder):
    drop(folder, "2026-03-01T0930Z.txt", NOTE, age_s=5)
    for name in ("2026-03-01T0931Z.txt.part", ".2026-03-01T0932Z.txt", "2026-03-01T0933Z.txt~", "_x.txt", "a.tmp"):
        drop(folder, name, NOTE)
    drop(folder, "scan.pdf", b"%PDF")
    tweets, rejects, files = read(folder)

    assert (tweets, rejects, files.n_unsettled, files.n_unknown) == ([], [], 1, 1)
    assert len(read(folder, settle_seconds=0)[0]) == 1


def test_files_are_left_as_they_were_and_a_second_reading_gives_the_same(folder):
    drop(folder, "calls/2026-03-01T0930Z.txt", NOTE)
    drop(folder, "mail/a.eml", mail().as_bytes())
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}
    first = read(folder)[:2]

    assert read(folder)[:2] == first
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before


def test_an_email_is_its_writer_s_own_words_with_its_subject(folder):
    text = f"{NOTE}\n\nOn Fri, 27 Feb 2026 at 10:00, Support <help@example.org> wrote:\n> take it daily\n> with food\n"
    drop(folder, "mail/a.eml", mail(text, Message_ID="<17@example.org>").as_bytes())
    (tweet,), _, _ = read(folder)

    assert tweet.text == f"my tablets\n\n{NOTE}"
    assert (tweet.tweet_id, tweet.author_id, tweet.channel) == ("17@example.org", "ann@example.org", "mail")
    assert tweet.created_at.isoformat() == "2026-03-01T08:30:00+00:00"


def test_attachments_are_passed_over_and_counted(folder):
    message = mail()
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="scan.pdf")
    assert read_mail(message.as_bytes()).n_attachments == 1
    drop(folder, "a.eml", message.as_bytes())
    assert "PDF" not in read(folder)[0][0].text


def test_html_alone_is_read_as_a_reader_sees_it():
    html = (
        "<html><head><style>p{color:red}</style><script>alert('x')</script></head><body><p>A rash &amp; fever</p>"
        "<p>since&nbsp;Monday<br>on lamotrigine</p><blockquote>earlier <b>words</b></blockquote></body></html>"
    )
    found = read_mail(mail(None, html=html).as_bytes(), keep_quotes=False)
    assert found.text == "my tablets\n\nA rash & fever\n\nsince Monday\non lamotrigine"
    assert "alert" not in text_of_html(html)
    assert "earlier" in read_mail(mail(None, html=html).as_bytes(), keep_quotes=True).text


@pytest.mark.parametrize(
    ("body", "own"),
    [
        ("itchy\n-- \nAnn\n+49 30 1234567", "itchy"),
        ("itchy\n\n-----Original Message-----\nFrom: x\n\nold", "itchy"),
        ("itchy\n\nFrom: Support\nSent: Monday\nTo: Ann\n\nold", "itchy"),
        ("> old\nitchy\n> older", "itchy"),
        ("> only what was quoted", "> only what was quoted"),
        ("On Monday I wrote: my skin itches", "On Monday I wrote: my skin itches"),
        ("---------- Forwarded message ---------\nFrom: a nurse\n\nthe patient itches", None),
    ],
)
def test_quotes_and_signatures_go_and_a_bare_forward_stays(body, own):
    assert own_words(body) == (own or body)


def test_without_a_date_the_last_machine_s_time_counts_then_the_name(folder):
    message = mail(date=None, Received="from a by b; Sun, 01 Mar 2026 10:00:00 +0000").as_bytes()
    assert read_mail(message).sent_at.isoformat() == "2026-03-01T10:00:00+00:00"
    drop(folder, "2026-03-01T1100Z.eml", mail(date="not a date").as_bytes())
    (tweet,), _, _ = read(folder)
    assert tweet.created_at.isoformat() == "2026-03-01T11:00:00+00:00"


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "no-such-charset"])
def test_emails_of_other_charsets_do_not_stop_a_run(folder, charset):
    raw = (
        f"From: a@example.org\nDate: Sun, 01 Mar 2026 09:30:00 +0000\nContent-Type: text/plain; charset={charset}\n\n"
    ).encode() + b"m\xfcde\n"
    drop(folder, "a.eml", raw)
    tweets, rejects, _ = read(folder)
    assert len(tweets) + len(rejects) == 1


def test_long_text_is_taken_up_to_the_limit(folder):
    drop(folder, "2026-03-01T0930Z.txt", "word " * 20_000)
    _, (reject,), _ = read(folder)
    assert reject.reason == "text_too_long"
    (tweet,), _, _ = read(folder, source=ArchiveSettings(path=str(folder), max_characters=200_000))
    assert len(tweet.text) == 99_999


def test_tables_are_read_as_an_archive_s_with_a_channel_by_row(folder):
    path = folder / "forum" / "export.csv"
    path.parent.mkdir()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "created_at", "where"])
        writer.writerow(["1", NOTE, "2026-03-01T09:30:00Z", "app reviews"])
        writer.writerow(["2", NOTE, "2026-03-01T09:31:00Z", ""])
    os.utime(path, (time.time() - 3600,) * 2)
    tweets, _, _ = read(folder, source=ArchiveSettings(path=str(folder), channel_column="where"))
    assert [tweet.channel for tweet in tweets] == ["app reviews", "forum"]


def test_an_archive_too_takes_its_channel_by_row(tmp_path):
    path = tmp_path / "posts.jsonl"
    rows = [
        {"id": str(n), "text": NOTE, "created_at": "2026-03-01T09:30:00Z", "src": s} for n, s in enumerate(("a", 7))
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    source = Archive(ArchiveSettings(path=str(path), channel_column="src"))
    assert [tweet.channel for chunk in source.read() for tweet in chunk.tweets] == ["a", None]
    with pytest.raises(UsageError, match="no column 'channel'"):
        list(Archive(ArchiveSettings(path=str(path), channel_column="channel")).read())


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        read(tmp_path / "none")


@pytest.mark.parametrize("setting", ["drop.time_zone", "drop.encoding"])
def test_a_zone_or_an_encoding_that_does_not_exist_is_refused(setting):
    with pytest.raises(UsageError, match="write one such as"):
        load_settings({setting: "nowhere"})


def test_random_bytes_never_stop_a_run(folder):
    for number in range(200):
        drop(folder, f"{number}.eml", os.urandom(64) + b"\nFrom: x\nDate: y\n\n" + os.urandom(64))
        drop(folder, f"{number}.txt", os.urandom(64))
    tweets, rejects, _ = read(folder, time_from_file=True)
    assert len(tweets) + len(rejects) == 400


def test_no_text_reaches_a_reject(folder):
    drop(folder, "a.txt", "zanzibarquokka words")
    drop(folder, "b.csv", "zanzibarquokka is what she told me on the phone\nmore words\n")
    _, rejects, _ = read(folder)
    assert len(rejects) == 2
    assert "zanzibarquokka" not in repr(rejects)


def test_the_folder_is_chosen_by_a_setting(folder):
    settings = load_settings({"source.kind": "drop", "source.path": str(folder)})
    assert Path(settings.source.path) == folder
