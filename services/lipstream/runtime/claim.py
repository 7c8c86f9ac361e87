"""What a worker gets from its stage's queue, and what it is told of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from lipstream.wire.job import Job
from lipstream.wire.messages import StageMessage
from lipstream.wire.problem import Problem

__all__ = ["Claim", "Delivery", "Depth", "Outages", "age_s"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as Redis delivered it."""

    message_id: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outages:
    """Tries of a claim's work in a row that an outage ended; they do not count as attempts."""

    tries: int = 0
    since_ms: int = 0
    """Unix time at which the first of them ended."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job's message in the hands of one holder."""

    message_id: str
    message: StageMessage
    holder: str
    job: Job
    attempt: int
    exhausted: bool
    """It was tried as often as may be; only `fail` is left."""
    last_error: Problem | None
    outages: Outages
    waited_s: float
    """From its coming to the stage, by the clock of Redis, to this claim, by this machine's."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How much a stage has before it."""

    waiting: int
    """Messages that no worker has begun, without those that wait for another try."""
    delayed: int
    pending: int
    """Messages that workers have."""
    dead: int = 0
    """Messages that were given up and are kept."""


def age_s(message_id: str, fields: Mapping[str, str]) -> float:
    """Since it was queued; or since Redis gave the id, which begins with its clock's ms."""
    since_ms = fields.get("queued_ms", "")
    if not since_ms.isdecimal():
        since_ms = message_id.partition("-")[0]
    return max(0.0, time.time() - int(since_ms) / 1000)
