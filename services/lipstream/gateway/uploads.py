"""Uploaded files on their way into the object store."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.datastructures import UploadFile

from lipstream.errors import BadInput, LipstreamError, TooLarge
from lipstream.runtime.object_store import ObjectStore

__all__ = ["kept_upload"]

_CHUNK_BYTES = 1 << 20


@asynccontextmanager
async def kept_upload(
    upload: UploadFile, store: ObjectStore, key: str, *, max_bytes: int, what: str
) -> AsyncIterator[None]:
    """Put an upload under `key`; it stays there when the block ends well, and only then.

    Args:
        what: the field's name, for errors.

    Raises:
        BadInput: it is empty.
        TooLarge: it is over `max_bytes`.
        Unavailable: the store does not take it.
    """
    size_bytes = upload.size or 0
    if size_bytes == 0:
        raise BadInput(
            f"The file in '{what}' is empty.",
            remedy="Check the path; send a file with something in it.",
            code="empty_file",
        )
    if size_bytes > max_bytes:
        raise TooLarge(
            f"The file in '{what}' has {size_bytes / 1e6:.1f} MB; "
            f"the limit is {max_bytes / 1e6:.0f} MB."
        )
    try:
        await asyncio.to_thread(_put, upload, store, key)
        yield
    except BaseException:
        with contextlib.suppress(LipstreamError):
            await asyncio.shield(asyncio.to_thread(store.delete, key))
        raise


def _put(upload: UploadFile, store: ObjectStore, key: str) -> None:
    with tempfile.TemporaryDirectory(prefix="lipstream-upload-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as file:
            while chunk := upload.file.read(_CHUNK_BYTES):
                file.write(chunk)
        store.put_file(key, path)
