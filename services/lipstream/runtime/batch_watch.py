"""Who wants to know of every batch that a model or a device works on.

Models are opened deep inside the stages, by code that knows of no metrics; so they tell this
module, and a process that has metrics listens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

__all__ = ["BatchWatcher", "timed_batch", "watch_batches"]

BatchWatcher: TypeAlias = Callable[[str, int, float], None]
"""Gets the name of the work, the rows of the batch and its seconds, from any thread."""

_watchers: list[BatchWatcher] = []


@contextmanager
def watch_batches(watcher: BatchWatcher) -> Iterator[None]:
    """Tell `watcher` of every batch of this process within the block."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


@contextmanager
def timed_batch(work: str, size: int) -> Iterator[None]:
    """Around one batch; one that raises is not told."""
    began_s = time.perf_counter()
    yield
    duration_s = time.perf_counter() - began_s
    for watcher in _watchers:
        watcher(work, size, duration_s)
