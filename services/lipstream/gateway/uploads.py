"""Uploaded files on their way into the object store."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from starlette.datastructures import UploadFile

from lipstream.errors import BadInput, TooLarge
from lipstream.runtime.object_store import ObjectStore

__all__ = ["store_upload"]

_CHUNK_BYTES = 1 << 20


async def store_upload(
    upload: UploadFile, store: ObjectStore, key: str, *, max_bytes: int, what: str
) -> int:
    """Put an upload under `key` and say how many bytes it has.

    Args:
        what: the field's name, for errors.

    Raises:
        BadInput: it is empty.
        TooLarge: it is over `max_bytes`.
        Unavailable: the store does not take it.
    """
    size_bytes = upload.size or 0
    if size_bytes == 0:
        raise BadInput(f"The file in '{what}' is empty.", code="empty_file")
    if size_bytes > max_bytes:
        raise TooLarge(
            f"The file in '{what}' has {size_bytes / 1e6:.1f} MB; "
            f"the limit is {max_bytes / 1e6:.0f} MB."
        )
    await asyncio.to_thread(_put, upload, store, key)
    return size_bytes


def _put(upload: UploadFile, store: ObjectStore, key: str) -> None:
    with tempfile.TemporaryDirectory(prefix="lipstream-upload-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as file:
            while chunk := upload.file.read(_CHUNK_BYTES):
                file.write(chunk)
        store.put_file(key, path)
