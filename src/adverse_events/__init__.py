"""Find, code and count adverse drug events in social media posts.

This package holds what is true without an orchestrator: it imports no Prefect, reads no
environment variable at import and opens no client at module level. ``flows`` and ``tasks``
stand above it, the command line ``ade`` above those.
"""

from __future__ import annotations

import os

# The wheels of ONNX Runtime send usage data to their maker, and leave a device id in the user's cache folder, unless
# this is set before they are imported. Source: onnxruntime 1.31.1, telemetry_1ds.cc, seen at work 2026-11.
os.putenv("ORT_DISABLE_TELEMETRY", "1")


def __getattr__(name: str) -> str:
    """Look the version up when it is asked for: `importlib.metadata` costs a third of a small command's start."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        return version("adverse-events")
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
