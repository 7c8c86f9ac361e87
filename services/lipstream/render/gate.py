"""A look at a background that anybody may have sent, in a bounded process.

`runtime.bounded` calls `moves` by name.
"""

from __future__ import annotations

from pathlib import Path

from lipstream.render.clip import open_clip
from lipstream.runtime.bounded import BoundedCalls

__all__ = ["moves", "moves_bounded"]


def moves_bounded(calls: BoundedCalls, path: Path) -> bool:
    """Whether the file is a video.

    Raises:
        BadInput: it is neither a picture nor a video.
    """
    found: bool = calls.call("lipstream.render.gate:moves", str(path))
    return found


def moves(path: str) -> bool:
    """In the bounded process."""
    return open_clip(Path(path), "The background").moves
