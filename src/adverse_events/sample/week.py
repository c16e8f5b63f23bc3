"""The bundled sample week: where its files are and how they were made."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 7
N_POSTS = 2900
SEED = 20260302
"""What `generate.write_sample` was asked for when the bundled files were written."""

POSTS_FOLDER = "posts"
POSTS_FILE = "posts.jsonl.gz"
PAGES_FILE = "pages.jsonl"
GOLD_FILE = "gold.csv"


def sample_week() -> Path:
    """Return the folder of the sample week's posts: `N_POSTS` in X API v2 shape, Monday to Sunday.

    ``posts.jsonl.gz`` holds one post per line, ``pages.jsonl`` one response page per line; among them
    are the unreadable lines that `defects.MALFORMED` counts.
    """
    return _data_folder() / POSTS_FOLDER


def gold_labels() -> Path:
    """Return the CSV file of what is true about the sample week.

    One row per readable post: ``tweet_id``, ``is_ade`` (0 or 1), ``drug_ingredients`` (INN, joined by ``;``),
    ``events`` (``surface=ICD-10-CM code``, joined by ``;``) and ``kind``, as `post.GeneratedPost` defines them.
    """
    return _data_folder() / GOLD_FILE


def _data_folder() -> Path:
    # Wheels install as folders, so the resource is a path; a zipped package is not supported.
    return Path(str(resources.files("adverse_events.sample").joinpath("data")))
