"""AWS's protocols in a process of their own, until standard input ends: ``python -m benchmarks.local_aws_process``."""

from __future__ import annotations

import argparse
import json
import sys

from adverse_events.local_aws.stack import LocalAws


def main() -> None:
    """Start the services, make what some runs need, and print one line: how to reach them, and each run's settings."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("runs", type=int)
    given = parser.parse_args()
    with LocalAws() as aws:
        settings = [aws.provision(f"run{number}").settings() for number in range(given.runs)]
        print(json.dumps({"environment": aws.environment(), "settings": settings}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
