from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

from lipstream.runtime.compute import ComputePool


def test_work_runs_in_a_thread_while_the_loop_goes_on() -> None:
    async def scenario() -> None:
        pool = ComputePool(1)
        gate = threading.Event()
        work = asyncio.create_task(pool.run(gate.wait, 20))
        await asyncio.sleep(0)
        gate.set()
        assert await work
        assert await pool.run(lambda a, b: a + b, 1, b=2) == 3
        pool.close()

    asyncio.run(scenario())


def test_items_come_one_by_one_and_a_generator_is_closed_early() -> None:
    made: list[int] = []
    closed = threading.Event()

    def numbers() -> Iterator[int]:
        try:
            for number in range(100):
                made.append(number)
                yield number
        finally:
            closed.set()

    async def scenario() -> None:
        pool = ComputePool(2)
        stream = pool.iterate(numbers())
        assert [await anext(stream) for _ in range(3)] == [0, 1, 2]
        await stream.aclose()
        assert closed.wait(10)
        assert made in ([0, 1, 2], [0, 1, 2, 3]), "one may be computed ahead"
        assert [number async for number in pool.iterate(iter([1, 2]))] == [1, 2]
        pool.close()

    asyncio.run(scenario())
