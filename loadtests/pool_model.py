"""Sessions that come, stay and go, and the places of a pool of nodes, as a discrete-event
simulation; beside it Erlang's formula, which it must agree with."""

from __future__ import annotations

import heapq
import math

import numpy as np

__all__ = ["erlang_b", "nodes_for", "simulate_pool"]


def simulate_pool(
    *, places: int, load: float, stay_s: float = 300.0, stays: float = 20.0, seed: int = 0
) -> float:
    """Share of sessions that find no place.

    Args:
        load: sessions that would be open on average if there were always a place.
        stay_s: how long a session stays on average.
        stays: how many times that is simulated; the first quarter does not count.
    """
    rng = np.random.default_rng(seed)
    until_s = stays * stay_s
    leaving: list[float] = []
    now_s, came, refused = 0.0, 0, 0
    while True:
        now_s += rng.exponential(stay_s / load)
        if now_s > until_s:
            return refused / max(came, 1)
        while leaving and leaving[0] <= now_s:
            heapq.heappop(leaving)
        counts = now_s > until_s / 4
        came += counts
        if len(leaving) >= places:
            refused += counts
        else:
            heapq.heappush(leaving, now_s + rng.exponential(stay_s))


def erlang_b(places: int, load: float) -> float:
    """The same share, exactly (Erlang, 1917)."""
    blocked = 1.0
    for place in range(1, places + 1):
        blocked = load * blocked / (place + load * blocked)
    return blocked


def nodes_for(load: float, per_node: int, *, refused: float = 0.001, spare: int = 1) -> int:
    """Nodes for so many concurrent sessions on average, with few refused and some nodes to lose."""
    nodes = max(1, math.floor(load / per_node))
    while erlang_b(nodes * per_node, load) > refused:
        nodes += 1
    return nodes + spare
