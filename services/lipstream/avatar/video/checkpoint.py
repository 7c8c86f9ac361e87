"""What a fit has reached, so that one that is killed goes on from there."""

from __future__ import annotations

import io
import zipfile

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import NotFound
from lipstream.runtime.object_store import ObjectStore

__all__ = ["Checkpoint"]

_VERSION = 1
"""Of everything that a fit computes: one of another version does not go on."""


class Checkpoint:
    """Named groups of arrays in a folder of the object store; without one, nothing is kept."""

    def __init__(self, store: ObjectStore | None = None) -> None:
        self._store = store

    def load(self, name: str) -> dict[str, NDArray[np.generic]] | None:
        """The arrays of a step, or None where it has not been done."""
        if self._store is None:
            return None
        try:
            with np.load(io.BytesIO(self._store.get(_key(name))), allow_pickle=False) as archive:
                return dict(archive)
        except (NotFound, ValueError, OSError, zipfile.BadZipFile):
            return None

    def save(self, name: str, **arrays: NDArray[np.generic]) -> None:
        """Keep the arrays of a step, in place of earlier ones."""
        if self._store is not None:
            stream = io.BytesIO()
            np.savez(stream, **arrays)
            self._store.put(_key(name), stream.getvalue())

    def clear(self) -> None:
        """Forget everything: the fit is done."""
        if self._store is not None:
            self._store.delete_all("")


def _key(name: str) -> str:
    return f"{name}-{_VERSION}.npz"
