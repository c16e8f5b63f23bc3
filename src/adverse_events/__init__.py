"""Find, code and count adverse drug events in social media posts.

This package holds what is true without an orchestrator: it imports no Prefect, reads no
environment variable at import and opens no client at module level. ``flows`` and ``tasks``
stand above it, the command line ``ade`` above those.
"""

import os
from importlib.metadata import version

# The wheels of ONNX Runtime send usage data to their maker, and leave a device id in the user's cache folder, unless
# this is set before they are imported. Source: onnxruntime 1.31.1, telemetry_1ds.cc, seen at work 2026-11.
os.putenv("ORT_DISABLE_TELEMETRY", "1")

__version__ = version("adverse-events")
