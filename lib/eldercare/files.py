"""Where the project lies, and its files: by what they hold, and written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# How all that is calculated counts need of care, where it is not the default.
DEFINITION = "ELDERCARE_DEFINITION"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also where two runs write it at once.

    Raises : OSError, as on a full disk; the file is then as it was, and nothing lies beside it
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def as_it_was_if_it_fails(path: Path) -> Iterator[None]:
    """Give a file its former content back, or take it away if it was not there, where what follows fails."""
    before = path.read_bytes() if path.exists() else None
    try:
        yield
    except Exception:
        if before is None:
            path.unlink(missing_ok=True)
        else:
            write_whole(path, before)
        raise


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, as a passport names it."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def print_no_more() -> None:
    """Let what is still to be printed go, so that Python does not try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def find_root(start: Path | None = None) -> Path:
    """The project folder: $ELDERCARE_PROJECT, or the nearest folder upwards with data/indicators.csv."""
    named = os.environ.get("ELDERCARE_PROJECT")
    if named:
        return Path(named)
    start = Path(start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "data" / "indicators.csv").is_file():
            return folder
    raise FileNotFoundError(
        "no folder with data/indicators.csv here or above; start in the project's folder, "
        "or name it in the environment variable ELDERCARE_PROJECT"
    )
