"""`Idempotency-Key`: a request that is sent again is not done again.

As in the IETF's draft of that header: the same key with the same request gives what the first one
made; with another request it is refused, and while the first is still at work its twin is told to
wait. What is made gets an id that follows from the key, so that neither a killed gateway nor a lost
answer leads to a second one.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import IO, Any

from fastapi import Request

from lipstream.errors import BadInput, Conflict, NotFound
from lipstream.gateway.platform import Platform
from lipstream.wire.job import Job
from lipstream.wire.streams import at_work_key, request_key

__all__ = ["REPLAYED", "Once", "once"]

REPLAYED = "Idempotent-Replayed"
"""Header of an answer about what an earlier request made."""

_HEADER = "Idempotency-Key"
_LONGEST = 255
_REMEMBERED_S = 86_400
_AT_WORK_S = 120
"""A gateway that is killed holds a key up for so long."""


class Once:
    """What a request makes.

    Attributes:
        id: of it; None when the request has no key, and any will do.
        made: the job that an earlier request with the key made.
    """

    def __init__(self, id: str | None = None, made: Job | None = None) -> None:
        self.id = id
        self.made = made


@asynccontextmanager
async def once(
    platform: Platform,
    request: Request,
    scope: str,
    fields: Any,
    files: Iterable[IO[bytes] | None] = (),
) -> AsyncIterator[Once]:
    """Do what is inside for one request of a key at a time.

    Args:
        scope: whose key it is, and of which route; the same key elsewhere is another.
        fields: what the request says; JSON.
        files: what came with it; read, and wound back.

    Raises:
        BadInput: the key is empty or too long, or was sent with another request before.
        Conflict: a request with the key is at work.
    """
    key = request.headers.get(_HEADER)
    if key is None:
        yield Once()
        return
    if not 0 < len(key) <= _LONGEST:
        raise BadInput(
            f"An {_HEADER} has 1 to {_LONGEST} characters.",
            remedy="Send a UUID, for example.",
            code="bad_idempotency_key",
        )
    digest = hashlib.sha256(f"{scope}\n{key}".encode()).hexdigest()[:32]
    print_ = await asyncio.to_thread(_fingerprint, fields, files)
    client: Any = platform.link.client
    at_work = at_work_key(digest)
    if not await platform.link.call(lambda: client.set(at_work, "1", nx=True, ex=_AT_WORK_S)):
        raise Conflict(
            f"A request with this {_HEADER} is at work.",
            remedy="Send it again in some seconds.",
            code="idempotency_in_progress",
        )
    try:
        name = request_key(digest)
        await platform.link.call(lambda: client.set(name, print_, nx=True, ex=_REMEMBERED_S))
        if await platform.link.call(lambda: client.get(name)) != print_:
            raise BadInput(
                f"This {_HEADER} was sent with another request before.",
                remedy="Use a fresh key for each thing that is wanted.",
                code="idempotency_mismatch",
            )
        try:
            made = await platform.jobs.get(digest)
        except NotFound:
            made = None
        yield Once(digest, made)
    finally:
        await platform.link.call(lambda: client.delete(at_work))


def _fingerprint(fields: Any, files: Iterable[IO[bytes] | None]) -> str:
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    for file in files:
        digest.update(b"\0" if file is None else hashlib.file_digest(file, "sha256").digest())  # type: ignore[arg-type]
        if file is not None:
            file.seek(0)
    return digest.hexdigest()
