"""Calls of many threads, done together.

Some work costs little more for many than for one: a network's step, a GPU's frame. So whoever asks
waits in a queue, and while one call runs, the next ones gather: a busy worker gets large batches,
an idle one no delay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, Self, TypeVar

from lipstream.errors import Unavailable
from lipstream.runtime.batch_watch import timed_batch

__all__ = ["Combiner"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Combiner(Generic[ItemT, ResultT]):
    """Owns the one thread that does the work. A context manager.

    Args:
        work: results of items, in order; what it raises, everybody who waits for one of them gets.
        most: items in one call.
        name: of the thread, and of the work for the metrics.
    """

    def __init__(
        self, work: Callable[[Sequence[ItemT]], Sequence[ResultT]], *, most: int, name: str
    ) -> None:
        self._work = work
        self._name = name
        self._most = most
        self._waiting: SimpleQueue[tuple[ItemT, Future[ResultT]] | None] = SimpleQueue()
        self._open = True
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __call__(self, item: ItemT) -> ResultT:
        """The item's result; waits until it is there.

        Raises:
            Unavailable: the combiner is closed.
        """
        if not self._open:
            raise Unavailable("The stage is closing.", remedy="Try again.")
        future: Future[ResultT] = Future()
        self._waiting.put((item, future))
        return future.result()

    def close(self) -> None:
        """Do what waits, then end."""
        self._open = False
        self._waiting.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _run(self) -> None:
        going_on = True
        while going_on:
            batch = []
            ticket = self._waiting.get()
            while ticket is not None:
                batch.append(ticket)
                if len(batch) == self._most:
                    break
                try:
                    ticket = self._waiting.get_nowait()
                except Empty:
                    break
            going_on = ticket is not None
            if batch:
                self._do([item for item, _ in batch], [future for _, future in batch])

    def _do(self, items: Sequence[ItemT], futures: Sequence[Future[ResultT]]) -> None:
        try:
            with timed_batch(self._name, len(items)):
                results = self._work(items)
        except BaseException as error:  # whoever waits gets it
            for future in futures:
                future.set_exception(error)
            return
        for future, result in zip(futures, results, strict=True):
            future.set_result(result)
