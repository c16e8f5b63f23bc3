"""Files a command writes: whole or not at all."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STANDARD_OUTPUT = "-"


@contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """Open `path` for UTF-8 lines; it appears, or is replaced, only when the block ends well.

    A path of ``-`` is standard output; a device or a pipe is written as it goes.

    Raises:
        UsageError: `path` is a folder or cannot be created.
    """
    if str(path) == STANDARD_OUTPUT:
        yield sys.stdout
        sys.stdout.flush()
        return
    if path.is_dir():
        msg = f"{path} is a folder; name the file to write"
        raise UsageError(msg)
    is_device = path.exists() and not path.is_file()
    draft = path if is_device else path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = draft.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        msg = f"{path} cannot be written ({os.strerror(error.errno or 0)}); name another file"
        raise UsageError(msg) from error
    try:
        with stream:
            yield stream
        if not is_device:
            draft.replace(path)
    finally:
        if not is_device:
            draft.unlink(missing_ok=True)


def check_not_input(output: Path, source: Path) -> None:
    """Raise `UsageError` if writing `output` would replace the file that is being read."""
    if output.exists() and output.samefile(source):
        msg = f"--output {output} is the input itself; name another file"
        raise UsageError(msg)
