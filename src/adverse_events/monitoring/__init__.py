"""Watching the runs: is what comes in, and what is made of it, still what it was?

Two stretches of a lake are measured, the last days and a reference before them, and held against each other and against
bounds. Counts only: no post, no id.
"""

from adverse_events.monitoring.measuring import Stretch, measure, newest
from adverse_events.monitoring.settings import MonitorSettings
from adverse_events.monitoring.watching import Crossing, Watch, psi, watch

__all__ = ["Crossing", "MonitorSettings", "Stretch", "Watch", "measure", "newest", "psi", "watch"]
