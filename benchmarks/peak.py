"""How much memory this process has held."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


def peak_resident_bytes() -> int:
    """Return the most memory this process has held, pages of mapped files included.

    Linux says so in ``/proc`` (proc(5), VmHWM). Its getrusage(2) is no use here: a process started by a larger
    one reports that one's peak.
    """
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))):
        return int(found[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
