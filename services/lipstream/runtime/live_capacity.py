"""How many live streams a replica can serve: measured when it starts, or said by who runs it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from lipstream.runtime.cores import usable_cores
from lipstream.runtime.settings import Settings

__all__ = ["live_capacity", "processor_cost"]

logger = logging.getLogger(__name__)

_SHARE = 0.8
"""Of the processor that live streams may take; the rest is for peaks, and for moving messages."""


def processor_cost(step: Callable[[], object], *, media_s: float, steps: int) -> float:
    """Cores that a live stream keeps busy: processor seconds for a second of it.

    The time of the quickest step counts, on all threads of this process: at a start, other
    processes start too, and slow this one down.

    Args:
        step: what the stage does for `media_s` seconds of one stream.
    """
    step()
    quickest_s = float("inf")
    for _ in range(steps):
        began_s = time.process_time()
        step()
        quickest_s = min(quickest_s, time.process_time() - began_s)
    return quickest_s / media_s


def live_capacity(settings: Settings, measure: Callable[[], float]) -> int:
    """Live streams that this replica takes at once, `max_streams` at most.

    Args:
        measure: the cores that one stream keeps busy; asked only when the settings do not say.
    """
    if settings.live_capacity is not None:
        return settings.live_capacity
    cost, cores = measure(), usable_cores()
    fitting = int(_SHARE * cores / max(cost, 1e-6))
    capacity = min(max(fitting, 1), settings.max_streams)
    logger.info(
        "live capacity measured",
        extra={"capacity": capacity, "cores_per_stream": round(cost, 4), "cores": cores},
    )
    return capacity
