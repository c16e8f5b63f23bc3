"""Write variants to train a model of one's own on: ``python -m adverse_events.training.variants FILE``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from adverse_events.errors import UsageError
from adverse_events.training.variants.writing import write

N_VARIANTS = 4200


def main() -> int:
    """Write them; returns the exit code, 2 for what cannot be asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="CSV to write, as --extra-texts takes it")
    parser.add_argument("--n", type=int, default=N_VARIANTS, help=f"how many texts (default {N_VARIANTS})")
    parser.add_argument("--seed", type=int, default=0, help="other texts (default 0)")
    options = parser.parse_args()
    try:
        write(options.file, options.n, options.seed)
    except UsageError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
