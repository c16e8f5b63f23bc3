"""The model as a service: payload, handler and server. Imports nothing of this project outside this folder.

The folder is shipped as it is, into the model archive and into the image; NumPy, ONNX Runtime and tokenizers beside it
are enough for the handler, Starlette and uvicorn for the server.
"""

import os

# The wheels of ONNX Runtime send usage data to their maker unless this is set before they are imported.
# Source: onnxruntime 1.31.1, telemetry_1ds.cc, seen at work 2026-11.
os.putenv("ORT_DISABLE_TELEMETRY", "1")
