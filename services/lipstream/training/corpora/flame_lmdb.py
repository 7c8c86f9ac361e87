"""DiffPoseTalk's data set as it is published: FLAME coefficients and audio packed into LMDB.

Keys: `metadata` {"seg_len"}, `<person>/<NNN>/metadata` {"n_frames"}, and pieces
`<person>/<NNN>/<KKK>` {"audio": the bytes of a FLAC file, "coef": {"shape", "exp", "pose"}} of
`seg_len` frames at 25 fps, each a pickle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lipstream.audio.decode import decode_audio
from lipstream.errors import BadInput, NotFound
from lipstream.training.corpora.flame_sequence import FlameSequence
from lipstream.training.corpora.motion_clip import ClipInfo, MotionClip, MotionCorpus, MotionSpace
from lipstream.training.corpora.safe_pickle import unpickle
from lipstream.training.corpora.templates import mapping

__all__ = ["LMDB_FILE", "open_flame_lmdb"]

LMDB_FILE = "data.mdb"
_FPS = 25.0
_SUFFIX = b"/metadata"


class _Database:
    """The file, opened for reading, with its pickles read safely."""

    def __init__(self, folder: Path) -> None:
        try:
            import lmdb
        except ImportError as error:
            raise NotFound(
                "lmdb is not installed, and reading DiffPoseTalk's data set needs it.",
                remedy="Install it with `pip install 'lipstream[train]'`.",
            ) from error
        try:
            self._environment = lmdb.open(
                str(folder), readonly=True, lock=False, readahead=False, create=False
            )
        except lmdb.Error as error:
            raise BadInput(f"{folder / LMDB_FILE} is no LMDB file: {error}.") from None

    def read(self, key: str) -> Mapping[Any, Any]:
        with self._environment.begin() as transaction:
            data = transaction.get(key.encode())
        if data is None:
            raise BadInput(f"The LMDB file lacks the entry {key}.")
        return mapping(unpickle(bytes(data), key), key)

    def names(self) -> list[str]:
        """Clips, `<person>/<NNN>`."""
        with self._environment.begin() as transaction:
            keys = [bytes(key) for key in transaction.cursor().iternext(values=False)]
        return sorted(key[: -len(_SUFFIX)].decode() for key in keys if key.endswith(_SUFFIX))


def open_flame_lmdb(folder: Path) -> MotionCorpus:
    """The corpus in a folder that holds `data.mdb`.

    Raises:
        NotFound: lmdb is not installed.
        BadInput: the file is no such data set.
    """
    database = _Database(folder)
    piece_frames = _count(database.read("metadata"), "seg_len", "metadata")
    clips = []
    for name in database.names():
        frames = _count(database.read(f"{name}/metadata"), "n_frames", name)
        clips.append(ClipInfo(name, name.partition("/")[0], frames, _FPS))
    if not clips:
        raise BadInput(f"{folder / LMDB_FILE} holds no clips.")
    first = _piece(database, f"{clips[0].name}/000")
    space = MotionSpace.flame(first[0].expression.shape[1])

    def load(clip: ClipInfo) -> MotionClip:
        count = math.ceil(clip.frames / piece_frames)
        pieces = [_piece(database, f"{clip.name}/{index:03d}") for index in range(count)]
        return MotionClip(
            clip.name,
            clip.subject,
            space,
            np.concatenate([sequence.motion for sequence, _ in pieces]),
            _FPS,
            np.concatenate([samples for _, samples in pieces]),
            identity=pieces[0][0].identity,
        )

    return MotionCorpus("FLAME (DiffPoseTalk, LMDB)", space, tuple(clips), load)


def _piece(database: _Database, key: str) -> tuple[FlameSequence, np.ndarray[Any, Any]]:
    entry = database.read(key)
    audio = entry.get("audio")
    if not isinstance(audio, bytes) or "coef" not in entry:
        raise BadInput(f"The entry {key} lacks audio or coef.")
    arrays = {str(k): np.asarray(v) for k, v in mapping(entry["coef"], key).items()}
    return FlameSequence.from_arrays(arrays, key), decode_audio(audio).samples


def _count(entry: Mapping[Any, Any], field: str, name: str) -> int:
    value = entry.get(field)
    if not isinstance(value, int) or not 0 < value < 100_000_000:
        raise BadInput(f"{name} says {field} = {value!r}; a positive number was expected.")
    return value
