"""What replicas say of themselves in a real Redis."""

from __future__ import annotations

import asyncio

from lipstream.runtime.announcer import Announcer, advertised_address
from lipstream.runtime.live_seats import LiveSeats
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings
from lipstream.runtime.telemetry import Telemetry
from lipstream.wire.replica import LEASE_S, Replica
from lipstream.wire.streams import replica_key, replicas_set
from tests.integration.redis_process import RedisProcess


def test_a_replica_says_what_it_can_take_for_as_long_as_it_lives(
    redis_server: RedisProcess,
) -> None:
    client = redis_server.client()

    def said() -> Replica | None:
        return Replica.decode(client.get(replica_key(announcer.replica_id)))  # type: ignore[arg-type]

    async def until(live: int, draining: bool) -> None:
        async with asyncio.timeout(10):
            while said() != nothing.model_copy(update={"live": live, "draining": draining}):
                await asyncio.sleep(0.01)

    async def scenario() -> None:
        running = asyncio.create_task(announcer.run())
        await until(0, False)
        assert client.smembers(replicas_set("render")) == {nothing.id}
        assert 0 < client.pttl(replica_key(nothing.id)) <= 1000 * LEASE_S
        seats.take()
        await until(1, False)
        client.flushall()  # a Redis that lost all hears of it again
        await until(1, False)
        assert client.smembers(replicas_set("render")) == {nothing.id}
        seats.drain()
        await until(1, True)
        await asyncio.sleep(0.5)  # it waits for a change again
        seats.leave()  # and just as it ends there is one
        running.cancel()
        await asyncio.wait({running}, timeout=10)
        assert running.done()
        assert said() is None
        assert not client.exists(replicas_set("render"))

    seats = LiveSeats(4, Telemetry("render"))
    announcer = Announcer(RedisLink(redis_server.url), "render", "10.1.2.3:50054", seats)
    nothing = Replica(
        id=announcer.replica_id, stage="render", address="10.1.2.3:50054", capacity=4, live=0
    )
    asyncio.run(scenario())


def test_the_advertised_host_is_one_that_others_reach() -> None:
    assert (
        advertised_address(Settings(advertise_host="10.0.0.7", host="0.0.0.0"), 5) == "10.0.0.7:5"
    )
    assert advertised_address(Settings(advertise_host="fd00::7"), 5) == "[fd00::7]:5"
    assert advertised_address(Settings(host="127.0.0.1"), 5) == "127.0.0.1:5"
    assert not advertised_address(Settings(host="0.0.0.0"), 5).startswith("0.0.0.0")
