from __future__ import annotations

import asyncio

from lipstream.gateway.sessions.connection import Connection
from lipstream.wire.live_media import MediaKind, MediaMessage

_PICTURE = MediaMessage(MediaKind.VIDEO, 1, 0, bytes(100_000), keyframe=True)


def test_a_client_that_does_not_read_is_cut_off_by_name_and_holds_nothing() -> None:
    async def scenario() -> None:
        connection = Connection()
        for _ in range(100):  # 10 MB
            connection.put(_PICTURE)
        assert connection.failure is not None
        assert connection.failure.code == "slow_client"
        assert await connection.get() is None

    asyncio.run(scenario())


def test_a_client_that_reads_gets_all_in_order_however_much_it_is() -> None:
    async def scenario() -> None:
        connection = Connection()
        for number in range(100):
            connection.put({"type": "error", "number": number})
            connection.put(_PICTURE)
            assert f'"number": {number}' in str(await connection.get())
            assert await connection.get() == _PICTURE.encode()
        connection.put({"type": "last"})
        connection.close()
        connection.put({"type": "too late"})
        assert await connection.get() == '{"type": "last"}'
        assert await connection.get() is None
        assert connection.failure is None

    asyncio.run(scenario())
