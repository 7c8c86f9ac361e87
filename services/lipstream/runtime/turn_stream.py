"""One stream's work on its way through turns (`runtime.turns`)."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Generic, Self, TypeAlias, TypeVar

__all__ = ["Answer", "Question", "TurnStream"]

T = TypeVar("T")


class Question:
    """What a stream's iterator yields when it waits for an answer."""

    __slots__ = ()


QuestionT = TypeVar("QuestionT", bound=Question)
Answer: TypeAlias = Callable[[], Any]


class TurnStream(Generic[QuestionT, T]):
    """An asynchronous iterator over what `items` gives beside its questions.

    Args:
        stop: asked before each step: whether no more is to be computed.
    """

    def __init__(
        self, items: Generator[T | QuestionT, Any, None], stop: Callable[[], bool]
    ) -> None:
        self._items = items
        self._stop = stop
        self._context = contextvars.copy_context()
        self._ready: deque[T] = deque()
        self._wanted = True
        self._failure: BaseException | None = None
        self.question: QuestionT | None = None
        """That waits for its answer."""
        self.ended = False
        self.changed = asyncio.Event()

    # In the loop

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._ready:
            if self._failure is not None:
                raise self._failure
            if self.ended:
                raise StopAsyncIteration
            await self._change()
        return self._ready.popleft()

    async def close(self) -> None:
        """Compute no more; return after the turn that runs or is the next."""
        self._wanted = False
        while not self.ended:
            await self._change()

    async def _change(self) -> None:
        self.changed.clear()
        await self.changed.wait()

    def fail(self, failure: BaseException) -> None:
        """There will be no more turns for it."""
        self._failure, self.ended = failure, True
        self.changed.set()

    # In the thread

    def go_on(self) -> None:
        """Up to the next question, unless one waits, or to the end."""
        if self.question is None or not self._wanted or self._stop():
            self.question = None
            self._advance(self._items.__next__)

    def take(self, answer: Answer) -> None:
        """Go on from there up to the next question, or to the end."""
        self.question = None

        def answered() -> T | QuestionT:
            try:
                value = answer()
            except BaseException as error:  # the stream's own
                return self._items.throw(error)
            return self._items.send(value)

        self._advance(answered)

    def _advance(self, step: Callable[[], T | QuestionT]) -> None:
        try:
            while self._wanted and not self._stop():
                item = self._context.run(step)
                if isinstance(item, Question):
                    self.question = item  # type: ignore[assignment]
                    return
                self._ready.append(item)
                step = self._items.__next__
            self._items.close()
        except StopIteration:
            pass
        except BaseException as error:  # whoever iterates gets it
            self._failure = error
        self.ended = True
