"""``model.tar.gz`` for SageMaker: the model and the code that serves it, the same bytes for the same model.

One archive serves both images. The Hugging Face inference image installs ``code/requirements.txt`` and calls
``code/inference.py``; this project's own image reads the model and brings its own code.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from adverse_events.classification.model_folder import MANIFEST, read_manifest
from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

INFERENCE = '''\
"""What the Hugging Face inference image calls; see `serving.handler`."""

from serving.handler import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
'''

_BOUNDS = ("numpy>=1.26,<3", "tokenizers>=0.20,<0.24")
"""What the image brings already. Its transformers refuses at import any tokenizers but those it names, so that an exact
pin here would stop the container: pip leaves the image's own where it is within these bounds."""


def write_archive(model_folder: Path, target: Path) -> Path:
    """Write the archive of a model folder.

    The files of the model lie at its root, ``inference.py``, ``requirements.txt`` and the package ``serving`` under
    ``code/``. Order, times and owners are fixed: the same model and code give the same bytes.

    Args:
        model_folder: An exported model folder; only the files that its manifest names are taken.
        target: Archive to write, such as ``build/model.tar.gz``; replaced in one step.

    Returns:
        `target`.

    Raises:
        UsageError: A missing file of the model, or a target that is a folder.
        ContractError: A file that is not the one ``model.json`` names.
    """
    manifest = read_manifest(model_folder)
    if target.is_dir():
        msg = f"{target} is a folder; name the archive to write, such as {target / 'model.tar.gz'}"
        raise UsageError(msg)
    members = {name: (model_folder / name).read_bytes() for name in (MANIFEST, *manifest.sha256)}
    members.update(_code())
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".archive-", dir=target.parent) as folder:
        draft = Path(folder) / target.name
        with (
            draft.open("wb") as file,
            gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for name in sorted(members):
                archive.addfile(_entry(name, len(members[name])), io.BytesIO(members[name]))
        return draft.replace(target)


def requirements() -> str:
    """Return what the Hugging Face image installs before it calls the handler: the ONNX Runtime used here, exactly.

    Installing needs a package index; in a network without one, use this project's own image.
    """
    return "".join(f"{line}\n" for line in (f"onnxruntime=={version('onnxruntime')}", *_BOUNDS))


def _code() -> Iterator[tuple[str, bytes]]:
    yield "code/inference.py", INFERENCE.encode()
    yield "code/requirements.txt", requirements().encode()
    for module in files("adverse_events.serving").iterdir():
        if module.name.endswith(".py"):
            yield f"code/serving/{module.name}", module.read_bytes()


def _entry(name: str, size: int) -> tarfile.TarInfo:
    """Return an entry whose time (0) and owner (0) say nothing of where it was made; anybody may read the file."""
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.mode = 0o644
    return entry
