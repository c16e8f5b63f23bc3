"""The X API of this machine, and the real client of it, for tests that speak over HTTP."""

from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from adverse_events.assembly import live
from adverse_events.local_x.state import TOKEN
from adverse_events.privacy import IdentityKey
from adverse_events.sample.clock import iso_milliseconds, snowflake
from adverse_events.settings import load_settings
from adverse_events.source.x.client import XClient

START = datetime(2026, 3, 2, tzinfo=UTC)
KEY = IdentityKey(b"a key of the tests, nobody's own")
SECRET = "this-is-the-tests-secret-token"  # noqa: S105 - opens nothing


def settings_for(server, folder, product="all", **overrides):
    """Return settings under which `server` is X; `overrides` by name with __ for the dot."""
    given = {name.replace("__", "."): value for name, value in overrides.items()}
    base = {
        "source.path": f"x://{product}",
        "x.base_url": server.address,
        "x.state_folder": folder,
        "search.drugs": "sertraline,ibuprofen",
    }
    settings = load_settings({**base, **given})
    return settings.model_copy(
        update={"x": settings.x.model_copy(update={"bearer_token": SecretStr(server.state.token)})}
    )


def client_for(server, token=TOKEN, **options):
    """Return a client that waits by moving the server's clock."""
    settings = load_settings({"x.base_url": server.address, **{f"x.{name}": v for name, v in options.items()}}).x
    return XClient(settings, SecretStr(token), sleep=server.state.clock.advance)


def search_for(server, folder, *, days=1, due=None, run=None, **overrides):
    """Return a search of the first `days` of the week."""
    settings = settings_for(server, folder, **overrides)
    windows = live.windows_of(settings, START, START + timedelta(days=days))
    token = settings.x.bearer_token
    return live.search_for(settings, windows, KEY, token, due, run=run, sleep=server.state.clock.advance)


def read(source):
    """Return all tweets, rejects and left-out parts of `source`."""
    chunks = list(source.read())
    return (
        [tweet for chunk in chunks for tweet in chunk.tweets],
        [reject for chunk in chunks for reject in chunk.rejects],
        [part for chunk in chunks for part in chunk.left_out],
    )


def ids(tweets):
    """Return the ids of `tweets`, sorted, so that one that came twice shows."""
    return sorted(tweet.tweet_id for tweet in tweets)


def stored(tweet_id):
    """Return what is stored of an id in signal mode."""
    return KEY.pseudonym(tweet_id, "tweet")


def add_posts(state, n_posts, *, drug="sertraline", hours=0, **fields):
    """Add made-up posts, a minute apart from `hours` after the start; returns their ids, oldest first."""
    made = []
    for number in range(n_posts):
        moment = START + timedelta(hours=hours, minutes=number)
        tweet_id = str(snowflake(moment, 7))
        tweet = {
            "id": tweet_id,
            "edit_history_tweet_ids": [tweet_id],
            "text": f"day {number} on {drug} and still dizzy",
            "created_at": iso_milliseconds(moment),
            "author_id": "1700000000000000001",
            "lang": "en",
            **fields,
        }
        state.add(tweet, {"users": [{"id": "1700000000000000001", "name": "n", "username": "u", "location": "Ohio"}]})
        made.append(tweet_id)
    return made
