"""The simulations behind capacity plans, against what is known without them."""

from __future__ import annotations

import numpy as np
import pytest

from loadtests.node_model import FRAME_S, ServiceTimes, most_sessions, simulate_node
from loadtests.pool_model import erlang_b, nodes_for, simulate_pool

_EVEN = np.ones(1)


def test_a_lone_session_never_waits() -> None:
    run = simulate_node(ServiceTimes((0.002, 0.008), _EVEN), cores=1, sessions=1, seconds=4)
    assert run.late == 0
    assert run.p99_s == pytest.approx(0.010)
    assert run.busy == pytest.approx(0.010 / FRAME_S)


def test_cores_are_in_use_as_much_as_is_asked_of_them() -> None:
    times = ServiceTimes((0.001, 0.006), np.array([0.5, 1.0, 1.5]))
    run = simulate_node(times, cores=4, sessions=12, seconds=8)
    assert run.busy == pytest.approx(12 * 0.007 / FRAME_S, rel=0.03)
    assert run.late == 0


def test_what_sessions_share_is_spent_once() -> None:
    times = ServiceTimes.of((0.005, 0.010), (0.003, 0.010), _EVEN)
    assert times.among(1) == pytest.approx([0.005, 0.010])
    assert times.among(2) == pytest.approx([0.003, 0.010])
    assert times.frame_s == pytest.approx(0.011)
    run = simulate_node(times, cores=4, sessions=4, seconds=8)
    assert run.busy == pytest.approx(4 * (0.002 + 0.010) / FRAME_S, rel=0.03)


def test_a_node_that_is_asked_for_more_than_it_has_falls_behind() -> None:
    times = ServiceTimes((0.010,), _EVEN)
    assert simulate_node(times, cores=1, sessions=5, seconds=8).late_share > 0.9


def test_frames_of_even_cost_fill_a_node() -> None:
    times = ServiceTimes((0.004, 0.006), _EVEN)
    assert most_sessions(times, cores=2, seeds=(0,)) == 8  # four of 10 ms in 40 ms, twice
    assert most_sessions(ServiceTimes((0.2,), _EVEN), cores=1, seeds=(0,)) == 0


def test_the_pool_agrees_with_erlang() -> None:
    assert erlang_b(1, 1.0) == 0.5
    assert erlang_b(10, 5.0) == pytest.approx(0.018385, rel=1e-4)  # tables of 1917
    simulated = simulate_pool(places=22, load=20.0, stays=1000)
    assert simulated == pytest.approx(erlang_b(22, 20.0), rel=0.1)


def test_nodes_are_enough_and_not_one_too_many() -> None:
    nodes = nodes_for(10_000, 60, spare=0)
    assert erlang_b(nodes * 60, 10_000) <= 0.001 < erlang_b((nodes - 1) * 60, 10_000)
    assert nodes_for(10_000, 60) == nodes + 1
