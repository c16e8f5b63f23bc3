"""What makes a training run this one: its recipe, its data, and the checkpoints it may go on from."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, get_last_checkpoint

from adverse_events.corpus.manifest import sha256_of
from adverse_events.errors import UsageError
from adverse_events.training.options import PATHS

if TYPE_CHECKING:
    import argparse

RUN = "run.json"
COMPLETE = "complete"  # written last into a checkpoint; one without it was cut short


def recipe_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return every hyperparameter by name; a base checkpoint that is a folder by the hash of its weights."""
    recipe = {name: value for name, value in sorted(vars(options).items()) if name not in PATHS}
    weights = Path(options.model_name) / "model.safetensors"
    if weights.is_file():
        # A path means nothing elsewhere.
        recipe["model_name"] = f"sha256:{sha256_of(weights)}"
    return {**recipe, "labels": ",".join(options.labels)}


def data_of(options: argparse.Namespace) -> dict[str, str]:
    """Return the SHA-256 of every file of texts and of teachers' scores, by split and name."""
    files = {f"{part}/{path.name}": path for part in ("train", "validation") for path in _csv(getattr(options, part))}
    # Numbered: those of several cross-validations all have one name.
    files |= {f"teacher_scores/{number}": path for number, path in enumerate(options.teacher_scores, start=1)}
    if options.extra_texts:
        files["extra_texts"] = options.extra_texts
    return {name: sha256_of(path) for name, path in files.items() if path.is_file()}


def has_bf16() -> bool:
    """Return whether bfloat16 is native here, so that it is faster than float32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Kernels for bfloat16 run on any AVX-512; without instructions of its own it takes three times as long as float32.
    return any(check() for check in (torch.cpu._is_avx512_bf16_supported, torch.cpu._is_amx_tile_supported))  # noqa: SLF001 - torch has no public names for them


def _csv(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.csv"))


def resumable(folder: Path, run: dict[str, Any]) -> Path | None:
    """Return the checkpoint to go on from, and mark the folder as this run's.

    Checkpoints that were cut short while they were written are removed.

    Raises:
        UsageError: The folder holds another run's checkpoints.
    """
    mark = hashlib.sha256(json.dumps(run, sort_keys=True, default=str).encode()).hexdigest()
    path = folder / RUN
    last = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    if last and not (path.is_file() and json.loads(path.read_text()).get("run") == mark):
        msg = f"{folder} holds checkpoints of a run with other texts or arguments; remove it, or name another folder"
        raise UsageError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"run": mark}))
    for checkpoint in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
        if not (checkpoint / COMPLETE).is_file():
            shutil.rmtree(checkpoint)
    last = get_last_checkpoint(str(folder))
    return Path(last) if last else None
