"""Many streams' work in one thread, turn by turn.

Some work costs little more for many than for one, such as a network's step. So a stream that needs
it asks: its iterator yields a question and is sent the answer, and what all streams ask in one turn
is answered in one call. While a turn runs, the next gathers; and since streams on one clock come
one upon the other, a turn waits for all that are open, as long as they keep coming. So many streams
keep two threads busy, and wake them once a turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Generic, ParamSpec, TypeVar

from lipstream.runtime.batch_watch import timed_batch
from lipstream.runtime.turn_stream import Answer, Question, TurnStream

__all__ = ["Turns"]

P = ParamSpec("P")
T = TypeVar("T")
QuestionT = TypeVar("QuestionT", bound=Question)

_MOST = 64
_LONGEST_GATHERS = 3
"""How often a turn waits once more because somebody came."""


class Turns(Generic[QuestionT]):
    """Belongs to one event loop.

    Args:
        answer: answers to questions, in order, each to be called in its stream's turn: it returns
            what the stream is sent, or raises what is raised in it.
        name: of the thread, and of the work for the metrics.
        gather_s: how long a turn waits for the next of the streams that are open.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[QuestionT]], Sequence[Answer]],
        *,
        name: str,
        gather_s: float = 0.002,
    ) -> None:
        self._answer = answer
        self._name = name
        self._gather_s = gather_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting: list[TurnStream[QuestionT, Any]] = []
        self._open = 0
        self._running = False
        self._timer: asyncio.TimerHandle | None = None
        self._latest_s = 0.0
        """When a turn that gathers begins, whoever comes still."""

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Around the life of a stream."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns, computed in the thread between two turns."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: work(*args, **kwargs)
        )

    async def iterate(
        self,
        items: Generator[T | QuestionT, Any, None],
        *,
        stop: Callable[[], bool] = lambda: False,
    ) -> AsyncGenerator[T, None]:
        """What an iterator gives beside its questions.

        When the caller stops early or is cancelled, the iterator is closed after its turn.

        Args:
            stop: asked in the thread before each step: whether to stop early.
        """
        stream: TurnStream[QuestionT, T] = TurnStream(items, stop)
        self._waiting.append(stream)
        self._look()
        try:
            async for item in stream:
                yield item
        finally:
            await asyncio.shield(stream.close())

    def close(self) -> None:
        """Begin no more turns; do not wait for the one that runs."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    # In the loop

    def _look(self) -> None:
        """Begin a turn when enough streams wait, or soon."""
        if self._running or not self._waiting:
            return
        if len(self._waiting) >= min(self._open, _MOST):
            self._begin()
            return
        loop = asyncio.get_running_loop()
        next_s = loop.time() + self._gather_s
        if self._timer is None:
            self._latest_s = loop.time() + _LONGEST_GATHERS * self._gather_s
        else:
            self._timer.cancel()
        self._timer = loop.call_at(min(next_s, self._latest_s), self._begin)

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        turn, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        self._running = True
        loop = asyncio.get_running_loop()

        def ended(done: Future[None]) -> None:
            loop.call_soon_threadsafe(self._turned, turn, done)

        try:
            self._thread.submit(self._turn, turn).add_done_callback(ended)
        except RuntimeError as error:  # closed
            for stream in turn:
                stream.fail(error)
            self._running = False

    def _turned(self, turn: Sequence[TurnStream[QuestionT, Any]], done: Future[None]) -> None:
        self._running = False
        failure = asyncio.CancelledError() if done.cancelled() else done.exception()
        for stream in turn:
            if failure is not None:
                stream.fail(failure)
            stream.changed.set()
        unfinished = [stream for stream in turn if not stream.ended]
        self._waiting[:0] = unfinished
        if unfinished:
            self._begin()
        else:
            self._look()

    # In the thread

    def _turn(self, turn: Sequence[TurnStream[QuestionT, Any]]) -> None:
        for stream in turn:
            stream.go_on()
        asking = [(stream, stream.question) for stream in turn if stream.question is not None]
        if not asking:
            return
        with timed_batch(self._name, len(asking)):
            answers = self._answer([question for _, question in asking])
        for (stream, _), answer in zip(asking, answers, strict=True):
            stream.take(answer)
