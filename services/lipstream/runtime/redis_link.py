"""The connection to Redis, and how long a caller waits for one that is away.

A gateway must answer within seconds, so its link gives up soon and says so. A worker has finished
minutes of work that must not be lost, so its link waits until Redis is back.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from lipstream.errors import BadInput, Internal, LipstreamError, Outage

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisLink"]

T = TypeVar("T")
logger = logging.getLogger(__name__)

_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 2.0
_ANSWER_S = 5.0


class RedisLink:
    """One pool of connections.

    Args:
        url: redis:// or rediss://.
        patience_s: how long `call` tries again while Redis does not answer; infinity for workers.
        max_connections: commands at once, those that wait for something among them.

    Raises:
        BadInput: the URL is none of Redis.
    """

    def __init__(self, url: str, patience_s: float = 3.0, *, max_connections: int = 100) -> None:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        self._patience_s = patience_s
        self._answers: bool | None = None
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise BadInput(
                "LIPSTREAM_REDIS is no redis:// URL.",
                remedy="Write it as redis://HOST:PORT/0.",
                code="bad_redis_url",
            )
        try:
            self._place = f"{parts.hostname or parts.path}:{parts.port or 6379}"
            # Retrying is done here, where the patience is known. RESP2 so that replies have one
            # shape on Redis 6.2 and 7.
            self.client: Redis = Redis.from_url(
                url,
                decode_responses=True,
                protocol=2,
                socket_timeout=None,  # the limit is set here, once for a whole command
                socket_connect_timeout=2.0,
                max_connections=max_connections,
                retry=Retry(NoBackoff(), 0),
                health_check_interval=30,
            )
        except ValueError as error:
            raise BadInput(
                f"LIPSTREAM_REDIS is no Redis URL: {error}.", code="bad_redis_url"
            ) from None

    @property
    def answers(self) -> bool:
        """Whether Redis answered when last asked."""
        return self._answers is True

    @property
    def away(self) -> bool:
        """Whether Redis did not answer when last asked. What can wait need not ask it then."""
        return self._answers is False

    async def call(
        self,
        ask: Callable[[], Awaitable[T]],
        patience_s: float | None = None,
        *,
        answer_s: float = _ANSWER_S,
    ) -> T:
        """The answer of `ask`, which is asked again while Redis is away.

        So `ask` must be something that does no harm when done twice: Redis may have done it and
        gone away before it could say so.

        Args:
            answer_s: how long one answer may take.

        Raises:
            Unavailable: Redis did not answer within the patience.
            Internal: Redis refused the command.
        """
        from redis.exceptions import RedisError

        clock = asyncio.get_running_loop()
        patience_s = self._patience_s if patience_s is None else patience_s
        give_up_s = clock.time() + patience_s
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                async with asyncio.timeout(answer_s):
                    answer = await ask()
            except (TimeoutError, RedisError, OSError) as error:
                if not _passing(error):
                    raise _refused(error) from error
                self._note(False, error)
                # Spread, so that a fleet does not come back in one moment.
                pause_s = wait_s * random.uniform(0.5, 1.0)
                if clock.time() + pause_s > give_up_s:
                    raise Outage(
                        "Redis does not answer.",
                        remedy="Try again in some seconds.",
                        code="redis_unavailable",
                    ) from error
                await asyncio.sleep(pause_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            else:
                self._note(True)
                return answer

    async def ping(self) -> bool:
        """Whether Redis answers now."""
        try:
            await self.call(lambda: self.client.ping(), patience_s=0.0)
        except LipstreamError:
            return False
        return True

    async def close(self) -> None:
        await self.client.aclose()

    def _note(self, answers: bool, error: BaseException | None = None) -> None:
        if answers is not self._answers:
            self._answers = answers
            if answers:
                logger.info("redis answers", extra={"redis": self._place})
            else:
                logger.warning("redis is away: %s", error, extra={"redis": self._place})


def _passing(error: BaseException) -> bool:
    """Whether the same command may succeed later."""
    from redis.exceptions import (
        AuthenticationError,
        ClusterDownError,
        ConnectionError,
        ReadOnlyError,
        TimeoutError,
        TryAgainError,
    )

    if isinstance(error, AuthenticationError):
        return False
    passing = (ConnectionError, TimeoutError, ReadOnlyError, ClusterDownError, TryAgainError)
    return isinstance(error, (*passing, OSError, asyncio.TimeoutError)) or any(
        word in str(error) for word in ("LOADING", "MASTERDOWN", "MISCONF", "OOM ")
    )


def _refused(error: BaseException) -> LipstreamError:
    return Internal(f"Redis refused a command: {str(error)[:200]}", code="redis_refused")
