"""Data classes of arrays as files: each array a memory-mapped `.npy`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dragon_core.artifacts.draft import Writer
from dragon_core.linking.errors import LinkingError


def write_arrays(writer: Writer, prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write each array as `<prefix>-<name>.npy`."""
    for name, array in arrays.items():
        with writer.writing(f"{prefix}-{name}.npy") as path, path.open("wb") as file:
            np.save(file, array)


def open_arrays(folder: Path, prefix: str, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    """Open the arrays `names`, memory-mapped.

    Raises:
        LinkingError: A file is missing.
    """
    arrays = {}
    for name in names:
        path = folder / f"{prefix}-{name}.npy"
        try:
            # A plain view: numpy.memmap's own indexing costs several times an ndarray's.
            arrays[name] = np.load(path, mmap_mode="r").view(np.ndarray)
        except FileNotFoundError as error:
            raise LinkingError(f"{folder} holds no such linker: {path.name} is missing; build it.") from error
    return arrays
