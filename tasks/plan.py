"""What a backfill has to do."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adverse_events import assembly, planning
from tasks.station import station

if TYPE_CHECKING:
    from adverse_events.planning import Plan
    from adverse_events.provenance import Provenance
    from adverse_events.settings import Settings
    from adverse_events.source.spool import Spooled

logger = logging.getLogger("adverse_events.plan")


@station("plan")
def plan_backfill(spooled: Spooled, settings: Settings, provenance: Provenance, *, force: bool) -> Plan:
    """Choose the windows to work on."""
    plan = planning.plan(spooled.batches, assembly.lake_for(settings), provenance.recipe_sha256, force=force)
    logger.info("%d windows to do, %d up to date", plan.n_due, plan.n_up_to_date)
    return plan
