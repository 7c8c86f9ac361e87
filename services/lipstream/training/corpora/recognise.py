"""Which format a folder of motion is in."""

from __future__ import annotations

from pathlib import Path

from lipstream.errors import BadInput, NotFound
from lipstream.training.corpora.facegood import MAPPING_FILE, open_facegood
from lipstream.training.corpora.flame_folder import (
    COEFFICIENTS_FOLDER,
    LIST_FILE,
    open_flame_folder,
)
from lipstream.training.corpora.flame_lmdb import LMDB_FILE, open_flame_lmdb
from lipstream.training.corpora.live_link_takes import is_live_link, open_live_link
from lipstream.training.corpora.motion_clip import MotionCorpus
from lipstream.training.corpora.vertex_folder import open_vertex_folder
from lipstream.training.corpora.vocaset import VOCASET_FILES, open_vocaset

__all__ = ["open_motion_corpus"]

_LAYOUTS = (
    "VOCASET (data_verts.npy and pickles), vertices_npy/ with wav/ and templates.pkl, weights with "
    f"{MAPPING_FILE}, Live Link Face CSV, FLAME sequences ({COEFFICIENTS_FOLDER}/, {LIST_FILE}, "
    f"{LMDB_FILE}, or .npz, .npy and .pt beside their audio)"
)


def open_motion_corpus(folder: Path, *, fps: float | None = None) -> MotionCorpus:
    """Open a folder of motion in whichever known format it is.

    Args:
        fps: frame rate, for formats whose files do not say it.

    Raises:
        NotFound: there is no such folder.
        BadInput: the format is not known, or the files are not as it wants them.
    """
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder}.", remedy="Check the path.")
    if (folder / "vertices_npy").is_dir():
        return open_vertex_folder(folder, fps)
    present = [name for name in VOCASET_FILES if (folder / name).exists()]
    if VOCASET_FILES[0] in present or len(present) > 1:
        return open_vocaset(folder)
    if (folder / MAPPING_FILE).exists():
        return open_facegood(folder)
    if (folder / LMDB_FILE).exists():
        return open_flame_lmdb(folder)
    if (folder / COEFFICIENTS_FOLDER).is_dir() or (folder / LIST_FILE).exists():
        return open_flame_folder(folder, fps)
    if any(is_live_link(path) for path in sorted(folder.rglob("*.csv"))):
        return open_live_link(folder, fps)
    if any(any(folder.rglob(f"*{suffix}")) for suffix in (".npz", ".npy", ".pt")):
        return open_flame_folder(folder, fps)
    raise BadInput(
        f"{folder} holds no motion corpus of a known format.",
        remedy=f"Known are: {_LAYOUTS}.",
        code="unknown_corpus",
    )
