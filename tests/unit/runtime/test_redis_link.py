"""The link to Redis, where Redis itself does not matter."""

from __future__ import annotations

import asyncio

import pytest

from lipstream.errors import Outage
from lipstream.runtime.redis_link import RedisLink


def test_a_command_without_an_answer_is_given_up() -> None:
    async def scenario() -> None:
        asked = 0

        async def ask() -> None:
            nonlocal asked
            asked += 1
            await asyncio.sleep(60)

        link = RedisLink("redis://127.0.0.1:1")
        with pytest.raises(Outage):
            await link.call(ask, patience_s=0.2, answer_s=0.01)
        assert asked > 1
        assert link.away
        assert not link.answers
        await link.close()

    asyncio.run(scenario())
