"""The avatars that the commands share with a local stack: those in the data folder."""

from __future__ import annotations

from pathlib import Path

from lipstream.errors import BadInput
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from lipstream.runtime.settings import load_settings

__all__ = ["open_library", "read_file"]


def open_library() -> AvatarLibrary:
    """The library in the configured object store, by default a local folder."""
    return AvatarLibrary(open_store(load_settings().store_url))


def read_file(path: Path, what: str, max_bytes: int) -> bytes:
    """The bytes of a file that a user named.

    Raises:
        BadInput: it cannot be read, or is over the limit.
    """
    try:
        with path.open("rb") as file:
            # Some files have no size and no end, such as devices and pipes.
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(f"{what} {path} cannot be read: {reason}.") from None
    if len(data) > max_bytes:
        raise BadInput(
            f"{what} {path} is larger than {max_bytes // 1_000_000} MB.", code="too_large"
        )
    return data
