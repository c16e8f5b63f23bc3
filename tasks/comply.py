"""What people delete disappears: lists read, X asked, windows rewritten."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from adverse_events import assembly
from adverse_events.compliance.batch_job import BatchJobs
from adverse_events.compliance.comply import ComplianceAccount, comply
from adverse_events.compliance.lists import read_lists, write_list
from adverse_events.progress import advance
from tasks.station import station

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from adverse_events.settings import Settings

logger = logging.getLogger("adverse_events.comply")


@station("ask X")
def ask_x_what_is_gone(settings: Settings, held: str | None, folder: Path) -> Path:
    """Let X say which of the posts held may no longer be kept. Retried because a job takes its time."""
    found = folder / "gone.jsonl"
    with assembly.x_client_for(settings) as client:
        jobs = BatchJobs(client, settings.compliance.poll_s, settings.compliance.patience_s)
        write_list(found, jobs.gone(assembly.held_ids(settings, held)))
    logger.info("asked X about %d posts, %d are gone", jobs.checked.n_asked, jobs.checked.n_deletions)
    return found


@station("forget")
def forget_posts(
    settings: Settings, lists: Sequence[Path], *, reason: str, as_stored: bool, dry_run: bool
) -> ComplianceAccount:
    """Put the posts of some lists on the suppression list, and take what is on it out of the lake."""
    assembly.check_lake(settings)
    key = assembly.identity_key_for(settings)
    asked = read_lists(lists, key.tweet_hash, reason=reason, as_stored=as_stored)
    with assembly.keepers_there_are(settings) as keepers:
        account = comply(
            assembly.lake_for(settings),
            asked.rows,
            keepers=keepers,
            kept_ids=asked.stored_ids(keeps_ids=settings.privacy.mode == "case") if keepers else (),
            dry_run=dry_run,
            progress=advance,
        )
    account = replace(account, n_malformed=asked.read.n_malformed, malformed=tuple(asked.read.malformed))
    logger.info("%d ids listed, %d windows affected", account.n_listed, len(account.forgotten))
    return replace(account, n_kept_posts=asked.read.n_kept_posts)
