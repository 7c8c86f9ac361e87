"""Objects by key: uploads, what stages hand on, avatars, videos.

A local folder on one machine, S3 or another cloud's store in production; obstore speaks to all of
them. This file adds what the services rely on: checked keys, scopes, and errors of the one tree.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

from lipstream.errors import BadInput, LipstreamError, NotFound, Outage, TooLarge

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ObjectStore as Backend

__all__ = ["ObjectInfo", "ObjectStore", "open_store"]

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 20
_KEY_LIMIT = 512
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_SCHEMES = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss")

# What the operating system says through obstore's messages, and what to do about it.
_REMEDIES = {
    "(os error 28)": ("disk_full", "The disk is full.", "Free some space."),
    "(os error 122)": ("disk_full", "The disk quota is used up.", "Free some space."),
    "(os error 27)": ("disk_full", "The file would be larger than allowed.", "Raise the limit."),
    "(os error 13)": ("store_denied", "Permission denied.", "Correct the folder's permissions."),
    "(os error 1)": ("store_denied", "Permission denied.", "Correct the folder's permissions."),
    "(os error 30)": ("store_denied", "It is read-only.", "Mount it for writing."),
}


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    key: str
    """Relative to the store or scope that was asked."""
    size_bytes: int
    modified_ms: int
    """Unix time."""
    etag: str | None


class ObjectStore:
    """A store, or the part of one under a prefix.

    Methods block, except `stream`; call them from a thread where an event loop runs. Writes are
    atomic: a reader sees the old object or the new one, never a part.

    Raises:
        BadInput: from every method, when a key is malformed or would leave the scope.
        NotFound: from readers, when there is no such object.
        Outage: when the store does not answer, refuses access or is full.
    """

    def __init__(self, backend: Backend, prefix: str = "") -> None:
        self._backend = backend
        self._prefix = prefix

    def under(self, prefix: str) -> Self:
        """The same store, seen from `prefix`."""
        return type(self)(self._backend, self._path(prefix))

    def put(self, key: str, data: bytes | bytearray | memoryview) -> None:
        import obstore

        with self._errors(key):
            obstore.put(self._backend, self._path(key), bytes(data))

    def put_file(self, key: str, path: Path) -> None:
        """Store a file, in parts when it is large.

        Raises:
            NotFound: there is no file at `path`.
        """
        import obstore

        if not path.is_file():
            raise NotFound(f"There is no file {path}.")
        with self._errors(key):
            obstore.put(self._backend, self._path(key), path)

    def get(self, key: str, max_bytes: int | None = None) -> bytes:
        """
        Raises:
            TooLarge: the object is over `max_bytes`; nothing of it was read.
        """
        import obstore

        with self._errors(key):
            result = obstore.get(self._backend, self._path(key))
            size_bytes = result.meta["size"]
            if max_bytes is not None and size_bytes > max_bytes:
                raise TooLarge(f"{key!r} has {size_bytes} bytes; the limit is {max_bytes}.")
            return bytes(result.bytes())

    def get_file(self, key: str, path: Path) -> None:
        """Write an object to a file, piece by piece; the file appears whole or not at all."""
        import obstore

        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        with self._errors(key):
            result = obstore.get(self._backend, self._path(key))
            try:
                with partial.open("wb") as file:
                    for chunk in result.stream(min_chunk_size=_CHUNK_BYTES):
                        file.write(chunk)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)

    async def stream(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Bytes `start` to `end` (exclusive), piece by piece.

        Raises:
            BadInput: the range is empty or begins after the object's end.
        """
        import obstore

        if start < 0 or (end is not None and end <= start):
            raise BadInput(f"{start}-{end} is no range of bytes.", code="bad_range")
        options: GetOptions = {"range": (start, end) if end is not None else {"offset": start}}
        with self._errors(key):
            result = await obstore.get_async(
                self._backend, self._path(key), options=options if start or end else None
            )
            async for chunk in result.stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(chunk)

    def stat(self, key: str) -> ObjectInfo:
        import obstore

        with self._errors(key):
            meta = obstore.head(self._backend, self._path(key))
            return self._info(key, meta)

    def exists(self, key: str) -> bool:
        try:
            self.stat(key)
        except NotFound:
            return False
        return True

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Objects under `prefix`, in no particular order."""
        import obstore

        base = self._path(prefix) if prefix else self._prefix
        with self._errors(prefix or "/"):
            for batch in obstore.list(self._backend, base or None):
                for meta in batch:
                    key = meta["path"].removeprefix(self._prefix).lstrip("/")
                    yield self._info(key, meta)

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens when there is none."""
        import obstore

        try:
            with self._errors(key):
                obstore.delete(self._backend, self._path(key))
        except NotFound:
            return

    def delete_all(self, prefix: str) -> int:
        """Delete everything under `prefix`, and say how many objects that were."""
        keys = [info.key for info in self.list(prefix)]
        for key in keys:
            self.delete(key)
        return len(keys)

    def address(self, key: str, lasts_s: float) -> str | None:
        """A signed address where anybody may read the object for a while; None of a local store."""
        import obstore
        from obstore.store import AzureStore, GCSStore, S3Store

        if not isinstance(self._backend, AzureStore | GCSStore | S3Store):
            return None
        with self._errors(key):
            span = timedelta(seconds=lasts_s)
            return obstore.sign(self._backend, "GET", self._path(key), span)

    def check(self) -> None:
        """Ask the store for something, to see whether it answers."""
        self.exists("readiness")

    def _path(self, key: str) -> str:
        """The key in the backend.

        Segments never begin with a dot, so that none can climb out of the scope, and never hold
        what a store, a shell or a URL would read otherwise.
        """
        if len(key) > _KEY_LIMIT or not all(_SEGMENT.fullmatch(part) for part in key.split("/")):
            raise BadInput(
                f"{key[:80]!r} is no valid object key.",
                remedy="Use letters, digits, '.', '_' and '-' between single slashes.",
                code="bad_key",
            )
        return f"{self._prefix}/{key}" if self._prefix else key

    @staticmethod
    def _info(key: str, meta: object) -> ObjectInfo:
        assert isinstance(meta, dict)
        return ObjectInfo(
            key=key,
            size_bytes=meta["size"],
            modified_ms=int(meta["last_modified"].timestamp() * 1000),
            etag=meta["e_tag"],
        )

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except LipstreamError:
            raise
        except FileNotFoundError as error:
            raise NotFound(f"There is no object {key!r}.") from error
        except (BaseError, OSError, ValueError) as error:
            raise _translated(error, key) from error


def _translated(error: Exception, key: str) -> LipstreamError:
    text = str(error)
    for mark, (code, reason, remedy) in _REMEDIES.items():
        number = f"[Errno {mark.removeprefix('(os error ').removesuffix(')')}]"
        if mark in text or number in text:
            return Outage(
                f"The object store cannot serve {key!r}: {reason}", remedy=remedy, code=code
            )
    if any(mark in text for mark in ("StartTooLarge", "InvalidRange", "416 Range")):
        return BadInput(f"{key!r} has no such range of bytes.", code="bad_range")
    # What the backend says holds paths and addresses; those are for the log alone.
    logger.warning("the object store failed: %s", text.partition("\n")[0], extra={"key": key})
    return Outage(
        f"The object store does not serve {key!r}.",
        remedy="See whether LIPSTREAM_STORE names it and the credentials are right.",
        code="store_unavailable",
    )


def open_store(url: str) -> ObjectStore:
    """The object store at a URL or in a folder, which is made when missing.

    Args:
        url: a path, `file:///path`, `memory://`, `s3://bucket/prefix`, `gs://`, `az://`. Cloud
            stores take credentials, region and endpoint from their usual environment
            (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...).

    Raises:
        BadInput: the URL is of no known kind, or incomplete.
        Outage: the folder can be neither found nor made.
    """
    from obstore.store import LocalStore, MemoryStore, from_url

    parts = urlsplit(url)
    if parts.scheme == "memory":
        return ObjectStore(MemoryStore())
    if parts.scheme in ("", "file"):
        text = unquote(parts.path) if parts.scheme else url
        if not text:
            raise BadInput("The object store has no folder.", remedy="Set LIPSTREAM_STORE.")
        folder = Path(text).expanduser().absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Outage(
                f"The object store's folder {folder} cannot be made: {error.strerror}.",
                remedy="Name another one in LIPSTREAM_STORE or LIPSTREAM_DATA_DIR.",
                code="store_denied",
            ) from error
        return ObjectStore(LocalStore(folder, automatic_cleanup=True))
    if parts.scheme not in _SCHEMES:
        raise BadInput(
            f"{parts.scheme}:// is no object store.",
            remedy="Use a folder, file://, s3://, gs:// or az://.",
            code="bad_store",
        )
    try:
        backend = from_url(
            url,
            client_options={"allow_http": _plain_http_endpoint(), "timeout": timedelta(seconds=60)},
            retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=20)},
        )
    except Exception as error:
        # obstore raises plain ValueError or its own tree here, depending on the cloud.
        reason = str(error).partition("\n")[0][:200]
        raise BadInput(f"The object store {url!r} cannot be used: {reason}") from error
    return ObjectStore(backend)


def _plain_http_endpoint() -> bool:
    """Whether the environment names an endpoint without TLS, as a test or an in-house store has."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return endpoint.startswith("http://")
