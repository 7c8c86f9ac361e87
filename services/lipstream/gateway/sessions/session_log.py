"""The life of every session, written to a Redis stream.

| event | fields |
|---|---|
| `placed` | `stage`, `replica`, `address`: where that part of the session goes on |
| `left` | the same, and `why`: `draining`, `silent` (no sign of life), `lost` |
| `opened` | `tenant`, `avatar`, `output`, `size` |
| `connected`, `dropped` | a client came, and went |
| `spoke` | `utterance`, `heard_ms`, `interrupted` |
| `suspended` | its gateway ends; another one, or the same, may go on with it |
| `resumed` | it goes on from its snapshot at another gateway |
| `ended` | `reason`, `duration_ms`, `late_frames` |

All have `session` and `at_ms` (of the clock). A session whose gateway was killed or ended, and to
which nobody came back, has no `ended`. A session never waits for Redis: while it is away events are
kept, up to a bound.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time

from lipstream.errors import LipstreamError
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.streams import sessions_stream

__all__ = ["SessionLog"]

logger = logging.getLogger(__name__)

_MOST_WAITING = 10_000
_MOST_KEPT = 100_000
"""Events in Redis, about; some 20 MB."""
_CLOSING_S = 2.0


class SessionLog:
    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._waiting: asyncio.Queue[dict[str, str]] = asyncio.Queue(_MOST_WAITING)
        self._task = asyncio.create_task(self._write())
        self._lost = 0

    def note(self, session_id: str, event: str, **fields: str | int) -> None:
        """Write this down soon; returns at once."""
        line = {"event": event, "session": session_id, "at_ms": str(int(time.time() * 1000))}
        try:
            self._waiting.put_nowait(line | {name: str(value) for name, value in fields.items()})
        except asyncio.QueueFull:
            self._lost += 1
            if self._lost == 1:
                logger.error("redis is away for so long that events of sessions are lost")

    async def close(self) -> None:
        """Write what waits, if that can be done soon."""
        try:
            await asyncio.wait_for(self._waiting.join(), _CLOSING_S)
        except TimeoutError:
            logger.error("%d events of sessions were not written", self._waiting.qsize())
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _write(self) -> None:
        stream = sessions_stream()
        while True:
            line = await self._waiting.get()
            try:
                await self._link.call(
                    lambda line=line: self._link.client.xadd(  # type: ignore[misc]
                        stream, line, maxlen=_MOST_KEPT, approximate=True
                    ),
                    patience_s=math.inf,
                )
            except LipstreamError as error:
                logger.error("an event of a session was refused: %s", error.message)
            finally:
                self._waiting.task_done()
