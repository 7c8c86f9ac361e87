"""Calls of many threads, done together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from lipstream.errors import Unavailable
from lipstream.runtime.combiner import Combiner


def test_what_gathers_while_one_call_runs_is_done_in_the_next() -> None:
    sizes: list[int] = []
    gate = threading.Event()
    begun = threading.Event()

    def work(items: Sequence[int]) -> list[int]:
        sizes.append(len(items))
        begun.set()
        gate.wait(10)
        return [2 * item for item in items]

    with Combiner(work, most=4, name="test") as combiner, ThreadPoolExecutor(8) as pool:
        first = pool.submit(combiner, 0)
        assert begun.wait(10)
        others = [pool.submit(combiner, item) for item in range(1, 8)]
        while combiner._waiting.qsize() < 7:
            threading.Event().wait(0.01)
        gate.set()
        assert [future.result() for future in (first, *others)] == [0, 2, 4, 6, 8, 10, 12, 14]
    assert sizes == [1, 4, 3]


def test_a_fault_reaches_those_who_wait_for_it_and_the_next_call_works() -> None:
    def work(items: Sequence[int]) -> list[float]:
        return [1 / item for item in items]

    with Combiner(work, most=4, name="test") as combiner:
        with pytest.raises(ZeroDivisionError):
            combiner(0)
        assert combiner(4) == 0.25
    with pytest.raises(Unavailable):
        combiner(1)
