"""The container's door: ``python -m serving serve`` in the image, ``python -m adverse_events.serving`` anywhere else.

SageMaker starts the image with the word ``serve`` and says everything else in the environment and by path, so this
module, and no other of the core, reads the environment.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from .app import Limits
from .facts import ModelFolderError
from .handler import load
from .server import http_server, listen

MODEL_FOLDER = Path("/opt/ml/model")
"""Where SageMaker puts the extracted model archive."""

PORT = "8080"
"""Port that SageMaker asks, unless SAGEMAKER_BIND_TO_PORT names another."""

logger = logging.getLogger("serving")


def main() -> int:
    """Serve until stopped; returns 1 where there is nothing to serve or no port, with the reason in the log."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logger.setLevel(logging.INFO)
    asked = _arguments().parse_args()
    try:
        model = load(asked.model, threads=asked.threads)
        listener = listen(asked.host or ("0.0.0.0" if asked.command else "127.0.0.1"), asked.port)  # noqa: S104 - see --host
    except ModelFolderError as error:
        logger.error("%s", error)  # noqa: TRY400 - one line, no traceback
        return 1
    except (OSError, OverflowError) as error:
        logger.error("port %d cannot be taken: %s", asked.port, error)  # noqa: TRY400 - as above
        return 1
    host, port = listener.getsockname()[:2]
    logger.info("serving %s on http://%s:%d", model.facts.version, host, port)
    http_server(model, Limits(requests=asked.requests)).run(sockets=[listener])
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="serving", description="Serve a model folder over HTTP.")
    parser.add_argument("command", nargs="?", choices=["serve"], help="what SageMaker says to the image")
    parser.add_argument("--model", type=Path, default=MODEL_FOLDER, help="model folder; default: %(default)s")
    port = os.environ.get("SAGEMAKER_BIND_TO_PORT") or PORT
    parser.add_argument("--port", type=int, default=port, help="port; 0 takes a free one; default: %(default)s")
    parser.add_argument("--host", help="address; default: every one when told to serve, else this machine's own")
    parser.add_argument("--threads", type=int, default=0, help="threads of one model call; default: every processor")
    parser.add_argument(
        "--requests", type=int, default=Limits.requests, help="requests let in at one time; default: %(default)s"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
