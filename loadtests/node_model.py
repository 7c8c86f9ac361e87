"""A node that carries live sessions, as a discrete-event simulation.

Every session asks for a frame each 40 ms. A frame passes the stages in turn, each time on one of
the node's cores, first come first served: there are replicas enough to use all cores. A frame that
takes longer than the gateway hands sound on ahead of its time is late.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FRAME_S", "LEAD_S", "NodeRun", "ServiceTimes", "most_sessions", "simulate_node"]

FRAME_S = 0.04
LEAD_S = 0.12
"""From a piece of silence that is handed on to the end of its picture's time (gateway timeline)."""
_WARM_UP = 0.2
"""Share of a run that does not count."""


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """CPU seconds that a stage spends on a frame."""

    stages: tuple[float, ...]
    """Means, in the order in which a frame passes."""
    spread: NDArray[np.float64]  # [K]
    """Measured times of one frame over their mean: the shape of the distribution."""
    shared: tuple[float, ...] = ()
    """What it spends beside that on the frames of all sessions of one moment together: waking up,
    a network's step for all. By stages; none where left out."""

    @classmethod
    def of(
        cls, one: Sequence[float], two: Sequence[float], spread: NDArray[np.float64]
    ) -> ServiceTimes:
        """From what a frame was seen to cost with one session, and with two."""
        shared = tuple(2 * max(0.0, a - b) for a, b in zip(one, two, strict=True))
        return cls(tuple(a - b for a, b in zip(one, shared, strict=True)), spread, shared)

    @property
    def frame_s(self) -> float:
        """Among very many sessions."""
        return sum(self.stages)

    def among(self, sessions: int) -> NDArray[np.float64]:  # [stages]
        """What a frame costs among so many sessions."""
        shared = self.shared or (0.0,) * len(self.stages)
        return np.asarray(np.array(self.stages) + np.array(shared) / sessions, np.float64)


@dataclass(frozen=True, slots=True)
class NodeRun:
    frames: int
    late: int
    p99_s: float
    """From a frame's beginning to its end."""
    busy: float
    """Cores in use, mean."""

    @property
    def late_share(self) -> float:
        return self.late / max(self.frames, 1)


def simulate_node(
    times: ServiceTimes, *, cores: int, sessions: int, seconds: float = 20.0, seed: int = 0
) -> NodeRun:
    """
    Args:
        seconds: simulated.
    """
    rng = np.random.default_rng(seed)
    free = cores
    waiting: list[tuple[float, int, int]] = []
    """By arrival: since when, frame, stage."""
    head = 0
    frames = round(seconds / FRAME_S)
    phases = rng.uniform(0, FRAME_S, sessions)
    starts = (phases[:, None] + FRAME_S * np.arange(frames)).ravel()
    factors = rng.choice(times.spread, (len(starts), len(times.stages)))
    service = factors * times.among(sessions)
    ends = np.zeros(len(starts))
    busy_s = 0.0
    # (time, order, frame, stage that begins; or -1 - stage that ends)
    events = [(start, number, number, 0) for number, start in enumerate(starts)]
    heapq.heapify(events)
    order = len(events)
    while events:
        now_s, _, frame, what = heapq.heappop(events)
        if what < 0:
            free += 1
            stage = -what
            if stage < len(times.stages):
                waiting.append((now_s, frame, stage))
            else:
                ends[frame] = now_s
        else:
            waiting.append((now_s, frame, what))
        while free and head < len(waiting):
            _, begun, stage = waiting[head]
            head += 1
            free -= 1
            order += 1
            busy_s += service[begun, stage]
            heapq.heappush(events, (now_s + service[begun, stage], order, begun, -1 - stage))
    counted = starts > _WARM_UP * seconds
    latencies = (ends - starts)[counted]
    return NodeRun(
        frames=int(counted.sum()),
        late=int((latencies > LEAD_S).sum()),
        p99_s=float(np.percentile(latencies, 99)),
        busy=busy_s / seconds,
    )


def most_sessions(
    times: ServiceTimes, *, cores: int, late_share: float = 0.001, seeds: Sequence[int] = (0, 1)
) -> int:
    """How many sessions a node carries with no more late frames than this; 0 if not even one."""
    low, high = 0, int(cores * FRAME_S / times.frame_s) + 1
    while low + 1 < high:
        middle = (low + high) // 2
        runs = [simulate_node(times, cores=cores, sessions=middle, seed=seed) for seed in seeds]
        if max(run.late_share for run in runs) <= late_share:
            low = middle
        else:
            high = middle
    return low
