"""One run of the detect flow in this process, and how much memory it took: ``python -m benchmarks.flow_process``."""

from __future__ import annotations

import argparse
import json
import time

from benchmarks.peak import peak_resident_bytes
from flows.detect import detect_adverse_events


def main() -> None:
    """Run the flow on a source and print its account, its seconds and the peak resident memory in bytes."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("source")
    parser.add_argument("lake")
    parser.add_argument("--assume-time")
    given = parser.parse_args()
    options = {"source.assume_time": given.assume_time} if given.assume_time else {}
    started = time.perf_counter()
    account = detect_adverse_events.fn(source=given.source, lake=given.lake, options=options)
    seconds = time.perf_counter() - started
    print(json.dumps({"account": account.to_json(), "seconds": seconds, "peak_bytes": peak_resident_bytes()}))


if __name__ == "__main__":
    main()
