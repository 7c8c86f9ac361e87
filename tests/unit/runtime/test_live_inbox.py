from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lipstream.errors import BadInput
from lipstream.runtime.live_inbox import LiveInbox
from lipstream.v1 import common_pb2, motion_pb2, render_pb2
from tests.unit.runtime.live_messages import content, end, header, interrupt, keyframe

_Inbox = LiveInbox[render_pb2.RenderRequest]


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(bounded())


async def taken(inbox: _Inbox) -> list[render_pb2.RenderRequest]:
    """Everything that waits, then the end."""
    inbox.close()
    messages = []
    while (request := await inbox.get()) is not None:
        messages.append(request)
    return messages


def test_messages_leave_in_the_order_of_their_arrival() -> None:
    async def scenario() -> None:
        inbox = _Inbox()
        sent = [content(0, 1), content(0, 2), end(0), content(3, 3)]
        for request in sent:
            await inbox.put(request)
        assert await taken(inbox) == sent

    run(scenario)


def test_a_full_inbox_takes_no_more_until_something_leaves() -> None:
    async def scenario() -> None:
        inbox = _Inbox(max_bytes=2000)
        await inbox.put(content(0, 1, size=500))
        second = asyncio.create_task(inbox.put(content(0, 2, size=2000)))
        await asyncio.sleep(0.01)
        assert not second.done()
        assert await inbox.get() == content(0, 1, size=500)
        await asyncio.sleep(0.01)
        assert not second.done()
        assert await inbox.get() == content(0, 2, size=2000)
        await second

    run(scenario)


def test_empty_messages_count_too() -> None:
    async def scenario() -> None:
        inbox = _Inbox(max_bytes=10_000)

        async def flood() -> int:
            for count in range(1000):
                try:
                    async with asyncio.timeout(0.05):
                        await inbox.put(render_pb2.RenderRequest())
                except TimeoutError:
                    return count
            return 1000

        assert await flood() < 50

    run(scenario)


def test_an_interrupt_makes_room_by_what_it_drops() -> None:
    async def scenario() -> None:
        inbox = _Inbox(max_bytes=10_000)
        old = content(1, 1, size=4000)
        await inbox.put(old)
        await inbox.put(old)
        assert not inbox.is_stale(old)
        await inbox.put(interrupt(2))
        assert inbox.is_stale(old)
        for index in range(2):
            await inbox.put(content(2, index, size=4000))
        kinds = [request.WhichOneof("payload") for request in await taken(inbox)]
        assert kinds == ["interrupt", "frames", "frames"]

    run(scenario)


def test_controls_outlive_an_interrupt() -> None:
    async def scenario() -> None:
        inbox: LiveInbox[motion_pb2.GenerateRequest] = LiveInbox()
        controls = motion_pb2.GenerateRequest(
            header=header(1), controls=motion_pb2.FaceControls(head_motion=0)
        )
        stopped = motion_pb2.GenerateRequest(header=header(2), interrupt=common_pb2.Interrupt())
        for request in (controls, stopped):
            await inbox.put(request)
        assert [await inbox.get(), await inbox.get()] == [controls, stopped]

    run(scenario)


def test_what_arrives_under_a_lower_epoch_is_ignored() -> None:
    async def scenario() -> None:
        inbox = _Inbox(epoch=2)
        for request in (content(1, 1), content(5, 2), content(4, 3), end(4), interrupt(3)):
            await inbox.put(request)
        assert await taken(inbox) == [content(5, 2)]

    run(scenario)


def test_nothing_but_control_follows_the_end_of_an_epoch() -> None:
    async def scenario() -> None:
        inbox = _Inbox()
        for request in (end(1), keyframe(1), interrupt(1)):
            await inbox.put(request)
        for request in (content(1, 1), end(1)):
            with pytest.raises(BadInput, match="Epoch 1 has ended") as caught:
                await inbox.put(request)
            assert caught.value.code == "after_end"
        await inbox.put(content(0, 0))  # ignored, as all of lower epochs
        await inbox.put(content(2, 1))

    run(scenario)


def test_a_keyframe_request_is_for_the_next_picture() -> None:
    async def scenario() -> None:
        inbox = _Inbox()
        for request in (content(1, 1), content(1, 2), keyframe(1)):
            await inbox.put(request)
        assert await taken(inbox) == [keyframe(1), content(1, 1), content(1, 2)]

    run(scenario)


def test_the_failure_of_the_stream_comes_after_what_came_before_it() -> None:
    async def scenario() -> None:
        inbox = _Inbox()
        await inbox.put(content(0, 1))
        inbox.close(BadInput("No."))
        assert await inbox.get() == content(0, 1)
        with pytest.raises(BadInput, match="No"):
            await inbox.get()

    run(scenario)
