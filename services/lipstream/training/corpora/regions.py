"""Vertices of the lips and of the upper face: what the metrics of vertex corpora look at.

BIWI brings `regions/lve.txt` (lips) and `regions/fdd.txt` (upper face), numbers apart by commas;
VOCASET's are in `FLAME_masks.pkl` {region: (n,)}, of which `lips`, and `forehead` with
`eye_region`, are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput, NotFound
from lipstream.training.corpora.safe_pickle import read_pickle
from lipstream.training.corpora.templates import mapping

__all__ = ["FaceRegions"]

_MAX_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class FaceRegions:
    lips: NDArray[np.int64]  # [n]
    upper_face: NDArray[np.int64]  # [m]

    @classmethod
    def read(cls, folder: Path, vertex_count: int) -> FaceRegions:
        """The regions that a corpus' folder brings.

        Raises:
            NotFound: it brings none.
            BadInput: they are no vertices of a mesh of `vertex_count`.
        """
        lists = folder / "regions" / "lve.txt", folder / "regions" / "fdd.txt"
        masks = folder / "FLAME_masks.pkl"
        if all(path.is_file() for path in lists):
            lips, upper = (_numbers(path) for path in lists)
        elif masks.is_file():
            named = mapping(read_pickle(masks), masks.name)
            lips = _region(named, "lips")
            upper = np.union1d(_region(named, "forehead"), _region(named, "eye_region"))
        else:
            raise NotFound(
                f"{folder} brings neither regions/lve.txt and regions/fdd.txt nor FLAME_masks.pkl.",
                remedy="Metrics of lips and upper face need one of them.",
            )
        for region in (lips, upper):
            if not region.size or region.min() < 0 or region.max() >= vertex_count:
                raise BadInput(
                    f"The regions of {folder} name vertices up to {region.max(initial=-1)}; the "
                    f"mesh has {vertex_count}."
                )
        return cls(lips, upper)


def _numbers(path: Path) -> NDArray[np.int64]:
    if path.stat().st_size > _MAX_BYTES:
        raise BadInput(f"{path.name} is too large for a list of vertices.")
    text = path.read_text("utf-8", "replace").replace(",", " ")
    try:
        return np.array([int(part) for part in text.split()], np.int64)
    except (ValueError, OverflowError):
        raise BadInput(f"{path.name} is no list of numbers apart by commas.") from None


def _region(masks: object, name: str) -> NDArray[np.int64]:
    region = mapping(masks, "FLAME_masks.pkl").get(name)
    array = np.asarray(region)
    if region is None or array.ndim != 1 or array.dtype.kind not in "iu":
        raise BadInput(f"FLAME_masks.pkl lacks the vertices of {name}.")
    return array.astype(np.int64)
