"""What travels on the streams: work for a stage, and news about a job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from lipstream.errors import BadInput
from lipstream.pipeline import PIPELINES, JobKind
from lipstream.wire.fields import VERSION, Fields
from lipstream.wire.job import JobStatus, Priority, parsed_kind
from lipstream.wire.problem import Problem
from lipstream.wire.streams import DEFAULT_TENANT, checked_id

__all__ = ["FIRST_EVENT", "DeadLetter", "JobEvent", "StageMessage", "checked_event_id"]

FIRST_EVENT = "0-0"
"""The position before a job's first event."""

_EVENT_ID = re.compile(r"[0-9]{1,18}(-[0-9]{1,18})?")
"""Redis takes a little more, up to 64 bits each."""
_PART = re.compile(r"[a-z0-9-]{0,40}")
_DEFAULT_FLOW = f"{Priority.INTERACTIVE.value}:{DEFAULT_TENANT}"


@dataclass(frozen=True, slots=True)
class StageMessage:
    """Work for one stage. It carries references only; media and tensors are in the object store."""

    job_id: str
    kind: JobKind
    stage: str
    attempt: int = 1
    """1 for the first try that was asked for, one more for each that was asked for after it."""
    flow: str = _DEFAULT_FLOW
    """What it queues with."""
    traceparent: str = ""
    """The trace that it belongs to (W3C), where there is one."""
    part: str = ""
    """The part of a split job, `JOIN` to put the parts together, or nothing for a whole job."""

    @property
    def work(self) -> str:
        """Its stage, and its part if it has one."""
        return f"{self.stage}/{self.part}" if self.part else self.stage

    def encode(self) -> dict[str, str]:
        fields = {
            "v": str(VERSION),
            "job_id": self.job_id,
            "kind": self.kind.value,
            "stage": self.stage,
            "attempt": str(self.attempt),
            "flow": self.flow,
            "part": self.part,
        }
        return fields | ({"traceparent": self.traceparent} if self.traceparent else {})

    @classmethod
    def decode(cls, raw: Mapping[str, str]) -> Self:
        """
        Raises:
            BadInput: a field is missing or malformed, or the kind has no such stage.
        """
        fields = Fields(raw, "stage message")
        kind = parsed_kind(fields.text("kind"))
        stage = fields.text("stage")
        if stage not in {known.name for known in PIPELINES[kind].stages}:
            raise BadInput(f"A job of kind {kind.value} has no stage {stage[:40]!r}.")
        attempt = fields.integer("attempt")
        if attempt < 1:
            raise BadInput(f"A stage message counts its attempts from 1, not {attempt}.")
        flow = raw.get("flow", _DEFAULT_FLOW)
        part = raw.get("part", "")
        if not _PART.fullmatch(part):
            raise BadInput(f"{part[:40]!r} is no part of a job.")
        trace = raw.get("traceparent", "")
        return cls(checked_id(fields.text("job_id")), kind, stage, attempt, flow, trace, part)


def checked_event_id(value: str) -> str:
    """`value`, if it can be the id of an event.

    Raises:
        BadInput: it cannot.
    """
    if not _EVENT_ID.fullmatch(value):
        raise BadInput(f"{value[:60]!r} is no id of an event.", code="bad_event_id")
    return value


@dataclass(frozen=True, slots=True)
class JobEvent:
    """A job's state right after something happened to it."""

    id: str
    """Position in the job's stream of events; a reader goes on after it."""
    job_id: str
    kind: JobKind
    status: JobStatus
    stage: str
    progress: float
    at_ms: int
    error: Problem | None = None

    def encode(self) -> dict[str, str]:
        """The fields, without the position, which Redis gives."""
        return {
            "v": str(VERSION),
            "job_id": self.job_id,
            "kind": self.kind.value,
            "status": self.status.value,
            "stage": self.stage,
            "progress": repr(self.progress),
            "at_ms": str(self.at_ms),
            "error": self.error.encode() if self.error else "",
        }

    @classmethod
    def decode(cls, event_id: str, raw: Mapping[str, str]) -> Self:
        """
        Raises:
            BadInput: a field is missing or malformed.
        """
        fields = Fields(raw, "job event")
        error = fields.text("error")
        return cls(
            id=event_id,
            job_id=checked_id(fields.text("job_id")),
            kind=parsed_kind(fields.text("kind")),
            status=JobStatus.parse(fields.text("status")),
            stage=fields.text("stage"),
            progress=fields.number("progress"),
            at_ms=fields.integer("at_ms"),
            error=Problem.decode(error) if error else None,
        )


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up, and why."""

    id: str
    """Position in the stage's stream of them."""
    at_ms: int
    """Unix time."""
    job_id: str
    """Empty when the message belonged to no job."""
    attempt: int
    problem: Problem

    @classmethod
    def decode(cls, letter_id: str, raw: Mapping[str, str]) -> Self:
        """Lenient: what a malformed message holds is unknown."""
        at_ms, attempt = raw.get("at_ms", ""), raw.get("attempt", "")
        return cls(
            id=letter_id,
            at_ms=int(at_ms) if at_ms.isdecimal() else int(letter_id.partition("-")[0]),
            job_id=raw.get("job_id", ""),
            attempt=int(attempt) if attempt.isdecimal() else 0,
            problem=Problem.decode(raw["problem"]),
        )
