"""What larger models say of the starter model's training texts, so that a small one can learn from them anywhere.

``starter.npz`` holds, for 24,763 texts, a hash of the text (`corpus.keys.text_key`) and two scores; no text can be read
out of it. README.md says which models said so and how to ask others.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def starter_scores() -> Path:
    """Return the file of scores that the starter model learns from."""
    return Path(str(files("adverse_events.training.teachers") / "starter.npz"))
