"""How a worker of a stage's stream works: how much at once, and how patiently."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

__all__ = ["WorkerOptions"]


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    concurrency: int = 1
    heartbeat_s: float = 1.0
    claim_idle_s: float = 15.0
    """Work without a sign of life for so long is taken over. Many heartbeats long."""
    retry_base_s: float = 1.0
    retry_limit_s: float = 60.0
    outage_limit_s: float = 3600.0
    """How long work waits for what all jobs need."""
    block_ms: int = 500
    """How long one read waits for a message; also how soon delayed messages are seen."""
    drain_s: float = 20.0
    stop_grace_s: float = 10.0
    """How long a handler may take to stop after it was told to."""
    job_ttl_s: float = 604_800.0
    scratch_dir: Path | None = None

    def pause_s(self, tries: int) -> float:
        """How long to wait after so many tries before one that failed; doubles, and is spread."""
        pause_s: float = min(self.retry_limit_s, self.retry_base_s * 2.0 ** min(tries, 30))
        return pause_s * random.uniform(0.75, 1.25)
