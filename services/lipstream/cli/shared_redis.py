"""The platform's Redis, for the length of one command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from lipstream.runtime.redis_link import RedisLink
    from lipstream.runtime.settings import Settings

__all__ = ["ask_redis"]

T = TypeVar("T")


def ask_redis(ask: Callable[[RedisLink, Settings], Awaitable[T]]) -> T:
    """What `ask` gives, asked with a link to the Redis at LIPSTREAM_REDIS, or to that of the stack
    which runs on this machine."""
    import asyncio

    from lipstream.runtime.local_stack import shared_redis
    from lipstream.runtime.redis_link import RedisLink
    from lipstream.runtime.settings import load_settings

    async def asked() -> T:
        settings = load_settings()
        link = RedisLink(shared_redis(settings))
        try:
            return await ask(link, settings)
        finally:
            await link.close()

    return asyncio.run(asked())
