from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipstream.errors import BadInput, LipstreamError, NotFound
from lipstream.runtime.compute import ComputePool
from lipstream.runtime.live_lane import LiveLane
from lipstream.v1 import render_pb2
from tests.unit.runtime.live_messages import (
    config,
    content,
    end,
    header,
    interrupt,
    keyframe,
)
from tests.unit.runtime.scripted_stage import ScriptedStage

_Request = render_pb2.RenderRequest
_Response = render_pb2.RenderResponse
_Lane = LiveLane[_Request, _Response]


class _Client:
    """Sends when the test says so, and knows what the lane has taken."""

    def __init__(self, *requests: _Request) -> None:
        self._queue: asyncio.Queue[_Request | Exception | None] = asyncio.Queue()
        self.closed = asyncio.Event()
        for request in requests:
            self._queue.put_nowait(request)

    def __call__(self) -> AsyncIterator[_Request]:
        return self._requests()

    async def send(self, *requests: _Request) -> None:
        """Return when the lane has taken them."""
        for request in requests:
            self._queue.put_nowait(request)
        await self._queue.join()

    def finish(self, failure: Exception | None = None) -> None:
        self._queue.put_nowait(failure)

    async def _requests(self) -> AsyncIterator[_Request]:
        try:
            while isinstance(request := await self._queue.get(), _Request):
                yield request
                self._queue.task_done()
            if request is not None:
                raise request
        finally:
            self.closed.set()


@contextmanager
def lane_of(stage: ScriptedStage) -> Iterator[_Lane]:
    pool = ComputePool(2)
    try:
        yield LiveLane(pool, lambda first: stage)
    finally:
        pool.close()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(bounded())


async def sent(requests: Iterable[_Request]) -> AsyncIterator[_Request]:
    for request in requests:
        yield request


def answers(stage: ScriptedStage, *requests: _Request) -> list[_Response]:
    """All that a stage answers to a whole stream."""

    async def scenario() -> None:
        with lane_of(stage) as lane:
            collected.extend([response async for response in lane.run(sent(requests))])

    collected: list[_Response] = []
    run(scenario)
    return collected


def summary(responses: Iterable[_Response]) -> list[tuple[str, int, int]]:
    return [(r.WhichOneof("payload") or "", r.header.epoch, r.header.pts_us) for r in responses]


def test_answers_come_in_order_and_each_epoch_begins_once() -> None:
    stage = ScriptedStage()
    got = answers(
        stage, config(1), content(1, 10, size=2), end(1), content(2, 20), content(2, 21), end(2)
    )
    assert summary(got) == [
        ("", 1, 0),
        ("frame", 1, 10),
        ("frame", 1, 10),
        ("end", 1, 0),
        ("frame", 2, 20),
        ("frame", 2, 21),
        ("end", 2, 0),
    ]
    assert stage.begun == [2]


def test_a_stream_without_messages_ends_well() -> None:
    assert answers(ScriptedStage()) == []


def test_an_interrupt_drops_what_is_computed_and_what_waits() -> None:
    gate = threading.Event()
    stage = ScriptedStage(gate)

    async def scenario() -> None:
        with lane_of(stage) as lane:
            client = _Client(config(1), content(1, 1, size=50), content(1, 2), end(1))
            responses = lane.run(client())
            assert (await anext(responses)).header.epoch == 1
            answer = asyncio.ensure_future(anext(responses))
            await asyncio.to_thread(stage.working.wait, 20)
            await client.send(interrupt(2), content(1, 3), content(2, 4), end(2))
            gate.set()
            client.finish()
            rest = [await answer] + [response async for response in responses]
        assert summary(rest) == [("interrupt", 2, 0), ("frame", 2, 4), ("end", 2, 0)]
        assert stage.steps == 2, "one was being computed, one is of the new epoch"
        assert stage.begun == [2]
        assert stage.closed == 4, "config, the dropped message, content, end"

    run(scenario)


def test_an_interrupt_while_a_client_does_not_read_stops_the_work() -> None:
    stage = ScriptedStage()

    async def scenario() -> None:
        with lane_of(stage) as lane:
            client = _Client(config(1), content(1, 1, size=50))
            responses = lane.run(client())
            first = [await anext(responses) for _ in range(3)]
            assert summary(first)[1:] == [("frame", 1, 1)] * 2
            await client.send(interrupt(7))
            client.finish()
            rest = [response async for response in responses]
        assert summary(rest) == [("interrupt", 7, 0)]
        assert stage.steps == 2

    run(scenario)


def test_interrupts_are_repeatable_and_the_configuration_is_answered_in_any_case() -> None:
    got = answers(
        ScriptedStage(), config(0), interrupt(3), interrupt(3), interrupt(2), content(3, 1)
    )
    assert summary(got) == [("", 0, 0), ("interrupt", 3, 0), ("interrupt", 3, 0), ("frame", 3, 1)]


def test_a_keyframe_request_begins_no_epoch() -> None:
    stage = ScriptedStage()
    got = answers(stage, config(1), content(1, 1), keyframe(2), content(2, 2))
    assert summary(got) == [("", 1, 0), ("frame", 1, 1), ("frame", 2, 2)]
    assert stage.begun == [2]


@pytest.mark.parametrize(
    ("requests", "code"),
    [
        ([content(1, 1)], "no_config"),
        ([_Request()], "no_config"),
        ([config(1), config(1)], "second_config"),
        ([config(1), content(1, 1), end(1), content(1, 2)], "after_end"),
        ([config(1), content(1, (1 << 63) - 1)], "bad_time"),
        ([_Request(header=header(0, -(1 << 63)), config=render_pb2.RenderConfig())], "bad_time"),
    ],
)
def test_what_breaks_the_contract_is_refused(requests: list[_Request], code: str) -> None:
    with pytest.raises(BadInput) as caught:
        answers(ScriptedStage(), *requests)
    assert caught.value.code == code


def test_a_stage_that_cannot_start_fails_the_stream() -> None:
    async def scenario() -> None:
        def start(first: _Request) -> ScriptedStage:
            raise NotFound("There is no avatar 'x'.")

        pool = ComputePool(1)
        client = _Client(config(0), content(0, 1))
        with pytest.raises(NotFound, match="no avatar"):
            async for _ in LiveLane(pool, start).run(client()):
                pass
        await client.closed.wait()
        pool.close()

    run(scenario)


def test_a_failing_message_ends_the_stream_after_what_came_before() -> None:
    bad = content(1, 2)
    bad.frames.rotation = b"bad"

    async def scenario() -> None:
        stage = ScriptedStage()
        with lane_of(stage) as lane:
            client = _Client(config(1), content(1, 1), bad, content(1, 3))
            responses = lane.run(client())
            assert summary([await anext(responses), await anext(responses)])[1:] == [
                ("frame", 1, 1)
            ]
            with pytest.raises(LipstreamError) as caught:
                await anext(responses)
            assert caught.value.code == "bad_frame"
            await client.closed.wait()
        assert stage.steps == 2

    run(scenario)


def test_a_stream_that_breaks_off_fails_after_what_came_before() -> None:
    async def scenario() -> None:
        with lane_of(ScriptedStage()) as lane:
            client = _Client(config(1), content(1, 1))
            client.finish(ConnectionError("gone"))
            responses = lane.run(client())
            assert [(await anext(responses)).header.epoch for _ in range(2)] == [1, 1]
            with pytest.raises(ConnectionError):
                await anext(responses)

    run(scenario)


def test_a_client_that_goes_frees_everything() -> None:
    async def scenario() -> None:
        stage = ScriptedStage()
        with lane_of(stage) as lane:
            client = _Client(config(1), content(1, 1, size=100), content(1, 2))
            responses = lane.run(client())
            for _ in range(2):
                await anext(responses)
            await responses.aclose()
            assert client.closed.is_set()
        assert stage.steps <= 2, "one may be computed ahead"
        assert stage.closed == 2

    run(scenario)


def test_a_call_that_is_cancelled_in_the_middle_of_a_step_is_left_after_it() -> None:
    gate = threading.Event()
    stage = ScriptedStage(gate)

    async def scenario() -> None:
        with lane_of(stage) as lane:
            client = _Client(config(1), content(1, 1, size=100))

            async def call() -> None:
                async for _ in lane.run(client()):
                    pass

            task = asyncio.create_task(call())
            await asyncio.to_thread(stage.working.wait, 20)
            task.cancel()
            await asyncio.sleep(0.01)
            gate.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            await client.closed.wait()
        assert stage.steps == 1
        assert stage.closed == 2

    run(scenario)


def test_a_stage_that_is_slow_stops_the_reading() -> None:
    gate = threading.Event()
    stage = ScriptedStage(gate)
    taken = 0

    async def flood() -> AsyncIterator[_Request]:
        nonlocal taken
        yield config(0)
        large = content(0, 1)
        large.frames.blendshapes = bytes(500_000)
        for _ in range(100):
            taken += 1
            yield large

    async def scenario() -> None:
        with lane_of(stage) as lane:
            responses = lane.run(flood())
            await anext(responses)
            answer = asyncio.ensure_future(anext(responses))
            await asyncio.to_thread(stage.working.wait, 20)
            await asyncio.sleep(0.05)
            assert taken < 12
            gate.set()
            assert summary([await answer]) == [("frame", 0, 1)]
            assert len([response async for response in responses]) == 99

    run(scenario)


_scripts = st.lists(
    st.tuples(
        st.sampled_from(["content", "content", "content", "end", "interrupt", "pause"]),
        st.integers(0, 2),
    ),
    max_size=30,
)


@given(script=_scripts)
@settings(max_examples=60, deadline=None)
def test_the_contract_of_epochs_holds_for_any_client(script: list[tuple[str, int]]) -> None:
    """Epochs rise by the second number when a new one may begin; each message has two answers."""
    requests: list[_Request | None] = [config(0)]
    epoch, ended = 0, False
    for index, (kind, rise) in enumerate(script):
        if kind == "pause":
            requests.append(None)
            continue
        if ended or kind == "interrupt":
            rise = max(rise, 1)
        ended = kind == "end"
        epoch += rise
        requests.append(
            {"content": content(epoch, index, size=2), "end": end(epoch)}.get(
                kind, interrupt(epoch)
            )
        )

    async def stream() -> AsyncIterator[_Request]:
        for request in requests:
            await asyncio.sleep(0.001 if request is None else 0)
            if request is not None:
                yield request

    got: list[_Response] = []

    async def scenario() -> None:
        with lane_of(ScriptedStage()) as lane:
            got.extend([response async for response in lane.run(stream())])

    run(scenario)
    asked = [request for request in requests[1:] if request is not None]
    epochs = [response.header.epoch for response in got]
    assert epochs == sorted(epochs), "nothing of an epoch comes after a higher one"
    floor = max((r.header.epoch for r in asked if r.HasField("interrupt")), default=0)
    lasting = [r for r in asked if r.header.epoch >= floor]
    expected = [
        (r.WhichOneof("payload"), r.header.epoch, r.header.pts_us)
        for r in lasting
        for _ in range(2 if r.HasField("frames") else 1)
    ]
    complete = [("frames" if kind == "frame" else kind, e, t) for kind, e, t in summary(got[1:])]
    assert [row for row in complete if row[1] >= floor] == expected
    for row in complete:
        assert row in [(r.WhichOneof("payload"), r.header.epoch, r.header.pts_us) for r in asked]
