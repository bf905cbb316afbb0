"""Where the values of many draws are kept, so that eight times the draws do not take eight times
the memory.
"""

from __future__ import annotations

import mmap
import tempfile

import numpy as np


def room_for(shape: tuple[int, ...], on_disk: bool) -> np.ndarray:
    """An array of single precision to be filled: in memory, or in a file without a name that is
    gone with it.
    """
    if not on_disk:
        return np.empty(shape, dtype=np.float32)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype=np.float32, mode="w+", shape=shape)


def let_go(array: np.ndarray) -> None:
    """Give back the memory of what has been written to disk; it is read again when it is asked for."""
    pages = getattr(array, "_mmap", None)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
