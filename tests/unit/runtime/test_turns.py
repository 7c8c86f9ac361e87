"""Streams that take turns in one thread, and what they ask together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from lipstream.errors import BadInput
from lipstream.runtime.live_lane import LiveLane
from lipstream.runtime.turn_stream import Answer, Question
from lipstream.runtime.turns import Turns
from lipstream.v1 import render_pb2
from tests.unit.runtime.live_messages import config, content, interrupt
from tests.unit.runtime.scripted_stage import ScriptedStage


@dataclass(frozen=True)
class _Twice(Question):
    number: int


class _Work:
    """Doubles numbers; refuses 13."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.threads: set[str] = set()

    def __call__(self, asked: Sequence[_Twice]) -> list[Answer]:
        self.sizes.append(len(asked))
        self.threads.add(threading.current_thread().name)
        return [lambda own=question.number: self._twice(own) for question in asked]  # type: ignore

    def _twice(self, number: int) -> int:
        if number == 13:
            raise BadInput("No thirteen.")
        return 2 * number


def _stream(numbers: Sequence[int], closed: list[int]) -> Generator[Any, Any, None]:
    try:
        for number in numbers:
            yield (yield _Twice(number))
    finally:
        closed.append(len(numbers))


def _run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(bounded())


async def _all(turns: Turns[_Twice], numbers: Sequence[int], closed: list[int]) -> list[int]:
    return [item async for item in turns.iterate(_stream(numbers, closed))]


def test_streams_that_ask_together_are_answered_together() -> None:
    work, closed = _Work(), list[int]()

    async def scenario() -> None:
        turns = Turns(work, name="twice", gather_s=20)
        assert await _all(turns, [1], closed) == [2]
        # While the first of these runs alone, the others gather.
        many = [_all(turns, [10 * k, 10 * k + 1], closed) for k in range(4)]
        assert await asyncio.gather(*many) == [[20 * k, 20 * k + 2] for k in range(4)]
        turns.close()

    _run(scenario)
    assert work.sizes[0] == 1
    assert sum(work.sizes) == 9
    assert max(work.sizes) >= 3
    assert len(work.threads) == 1
    assert closed == [1, 2, 2, 2, 2]


def test_a_turn_waits_for_all_that_are_open() -> None:
    work, closed = _Work(), list[int]()

    async def scenario() -> None:
        turns = Turns(work, name="twice", gather_s=20)
        calls = []
        with turns.opened(), turns.opened(), turns.opened():
            for k in range(3):
                calls.append(asyncio.create_task(_all(turns, [k], closed)))
                await asyncio.sleep(0.01)  # time to be answered alone
            assert await asyncio.gather(*calls) == [[0], [2], [4]]
        turns.close()

    _run(scenario)
    assert work.sizes == [3]


def test_a_stream_alone_is_waited_for_but_a_moment() -> None:
    work, closed = _Work(), list[int]()

    async def scenario() -> None:
        turns = Turns(work, name="twice", gather_s=0.001)
        with turns.opened(), turns.opened():
            assert await _all(turns, [1, 2], closed) == [2, 4]
        turns.close()

    _run(scenario)


def test_what_is_refused_is_refused_to_one_alone() -> None:
    work, closed = _Work(), list[int]()

    async def scenario() -> None:
        turns = Turns(work, name="twice")
        bad, good = await asyncio.gather(
            _all(turns, [1, 13, 2], closed), _all(turns, [5, 6], closed), return_exceptions=True
        )
        assert isinstance(bad, BadInput)
        assert good == [10, 12]
        turns.close()

    _run(scenario)
    assert sorted(closed) == [2, 3]


def test_a_stream_that_is_left_or_stopped_is_closed() -> None:
    work, closed = _Work(), list[int]()

    async def scenario() -> None:
        turns = Turns(work, name="twice")
        left = turns.iterate(_stream(range(100, 1100), closed))
        assert await anext(left) == 200
        await left.aclose()
        assert closed == [1000]
        stopped = turns.iterate(_stream(range(100, 600), closed), stop=lambda: len(work.sizes) > 20)
        assert len([item async for item in stopped]) < 25
        assert closed == [1000, 500]
        turns.close()
        with pytest.raises(RuntimeError):
            await _all(turns, [1], closed)

    _run(scenario)


def test_a_lane_that_takes_turns_drops_what_is_stale() -> None:
    stage = ScriptedStage()

    async def requests() -> Any:
        yield config(1)
        yield content(1, 1, size=3)
        yield interrupt(2)
        yield content(2, 4)

    async def scenario() -> None:
        turns: Turns[_Twice] = Turns(_Work(), name="twice")
        lane: LiveLane[Any, render_pb2.RenderResponse] = LiveLane(turns, lambda first: stage)
        answers = [answer async for answer in lane.run(requests())]
        kinds = [(answer.WhichOneof("payload"), answer.header.epoch) for answer in answers]
        assert kinds[0] == (None, 1)
        assert kinds[-2:] == [("interrupt", 2), ("frame", 2)]
        turns.close()

    _run(scenario)
    assert stage.closed >= 2
