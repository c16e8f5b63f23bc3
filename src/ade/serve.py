"""`ade serve` and `ade package`: the model behind HTTP on this machine, and packed for a SageMaker endpoint."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ade import terminal
from ade.exits import DONE
from adverse_events import assembly
from adverse_events.classification.model_folder import read_manifest, starter_model
from adverse_events.errors import UsageError
from adverse_events.hosting.archive import write_archive
from adverse_events.serving import handler, server
from adverse_events.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"
"""This machine only: whoever reaches the port may send texts."""


def serve(model: Path | None, port: int) -> int:
    """Serve a model folder until Ctrl-C or SIGTERM; returns the exit code.

    Args:
        model: Exported model folder, or an alias or version of the registry; the shipped starter model
            when None.
        port: Port, 0-65535; 0 takes a free one.

    Raises:
        UsageError: A missing model file, or a port that cannot be taken.
        ContractError: A file of the model that is not the one its manifest names.
    """
    folder = assembly.model_folder(load_settings({"classifier.model": model})) if model else starter_model()
    version = read_manifest(folder).version
    try:
        listener = server.listen(HOST, port)
    except (OSError, OverflowError) as error:
        msg = f"port {port} cannot be taken ({error}); name another with --port"
        raise UsageError(msg) from error
    terminal.note(f"serving {version} on http://{HOST}:{listener.getsockname()[1]}/invocations; Ctrl-C stops it")
    with suppress(KeyboardInterrupt):
        server.http_server(handler.load(folder)).run(sockets=[listener])
    return DONE


def package(model: Path | None, target: Path, *, as_json: bool) -> int:
    """Write the archive that a SageMaker endpoint takes; returns the exit code.

    Args:
        model: Exported model folder, or an alias or version of the registry; the shipped starter model
            when None.
        target: Archive to write.
        as_json: Print where it is and what it holds as JSON.

    Raises:
        UsageError: A missing model file, or a target that cannot be written.
    """
    if not target.name.endswith((".tar.gz", ".tgz")):
        msg = f"{target}: SageMaker takes a gzipped tar; name it model.tar.gz"
        raise UsageError(msg)
    folder = assembly.model_folder(load_settings({"classifier.model": model})) if model else starter_model()
    version = read_manifest(folder).version
    written = write_archive(folder, target)
    if as_json:
        terminal.show_json({"archive": str(written), "model_version": version, "n_bytes": written.stat().st_size})
    else:
        terminal.show_line(f"{written}: {version}, {written.stat().st_size / 1e6:.1f} MB")
    return DONE
