"""An upload is kept when all went well, and leaves nothing behind when not."""

from __future__ import annotations

import asyncio
import io

import pytest
from starlette.datastructures import UploadFile

from lipstream.errors import BadInput, LipstreamError, Overloaded, TooLarge
from lipstream.gateway.uploads import kept_upload
from lipstream.runtime.object_store import ObjectStore, open_store


async def _keep(store: ObjectStore, data: bytes, error: LipstreamError | None = None) -> None:
    upload = UploadFile(io.BytesIO(data), size=len(data))
    async with kept_upload(upload, store, "jobs/j/input", max_bytes=10, what="audio"):
        assert store.get("jobs/j/input") == data
        if error is not None:
            raise error


def test_it_is_kept() -> None:
    store = open_store("memory://")
    asyncio.run(_keep(store, b"0123456789"))
    assert store.get("jobs/j/input") == b"0123456789"


@pytest.mark.parametrize("error", [BadInput("No speech."), Overloaded("The queue is full.")])
def test_nothing_stays_of_a_request_that_fails(error: LipstreamError) -> None:
    store = open_store("memory://")
    with pytest.raises(type(error)):
        asyncio.run(_keep(store, b"0123456789", error))
    assert list(store.list()) == []


@pytest.mark.parametrize(("data", "kind"), [(b"", BadInput), (b"0" * 11, TooLarge)])
def test_bounds(data: bytes, kind: type[LipstreamError]) -> None:
    store = open_store("memory://")
    with pytest.raises(kind, match="'audio'"):
        asyncio.run(_keep(store, data))
    assert list(store.list()) == []
