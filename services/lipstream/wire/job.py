"""A job: one video or one avatar on its way through the stages, as Redis keeps it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from lipstream.errors import BadInput
from lipstream.pipeline import PIPELINES, JobKind
from lipstream.wire.fields import VERSION, Fields, dump_json
from lipstream.wire.problem import Problem
from lipstream.wire.streams import DEFAULT_TENANT, checked_id

__all__ = ["JOIN", "Job", "JobStatus", "Priority"]

JOIN = "join"
"""The part of a split job that puts the others together."""


class Priority(StrEnum):
    """How much a job is in a hurry."""

    INTERACTIVE = "interactive"
    """Somebody waits for it."""
    BATCH = "batch"
    """It may wait for those; some of it goes on all the same."""


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        return self in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)

    @classmethod
    def parse(cls, text: str) -> JobStatus:
        """
        Raises:
            BadInput: there is no such status.
        """
        try:
            return cls(text)
        except ValueError:
            raise BadInput(f"{text[:40]!r} is no status of a job.") from None


@dataclass(frozen=True, slots=True)
class Job:
    """A snapshot of a job's state.

    In Redis it is a hash: one field a scalar, and `output:`, `result:`, `warning:` and `attempts:`
    followed by a name, so that scripts change one without reading the others.
    """

    id: str
    kind: JobKind
    params: Mapping[str, Any]
    """What the caller asked for; JSON."""
    stage: str
    """The stage where the job is, or where it ended."""
    tenant: str = DEFAULT_TENANT
    """Whose it is: nobody else sees it."""
    status: JobStatus = JobStatus.QUEUED
    priority: Priority = Priority.INTERACTIVE
    deadline_ms: int = 0
    """Unix time at which nobody wants it any more; 0 for never."""
    progress: float = 0.0
    """0..1 over all stages."""
    created_ms: int = 0
    updated_ms: int = 0
    error: Problem | None = None
    last_error: Problem | None = None
    """Why its stage's last try failed, after which it waits for another."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Keys in the object store of what the stages wrote, by name."""
    results: Mapping[str, Any] = field(default_factory=dict)
    """Facts that stages reported, such as a duration; JSON."""
    warnings: tuple[str, ...] = ()
    attempts: Mapping[str, int] = field(default_factory=dict)
    """How often each stage began with it; of a split job, each part of it too: `render/0-200`."""
    parts: tuple[str, ...] = ()
    """What the stage split it into, in order."""
    parts_left: int = 0
    """Parts that are not done."""

    @property
    def flow(self) -> str:
        """What it queues with at each stage; see `runtime.fair_queue`."""
        return f"{self.priority.value}:{self.tenant}"

    @classmethod
    def new(
        cls,
        kind: JobKind,
        params: Mapping[str, Any],
        job_id: str | None = None,
        *,
        tenant: str = DEFAULT_TENANT,
        priority: Priority = Priority.INTERACTIVE,
        within_s: float | None = None,
    ) -> Self:
        """A job that has not begun, with a fresh id unless one is given.

        Args:
            within_s: time to its deadline.
        """
        now_ms = time.time_ns() // 1_000_000
        return cls(
            id=checked_id(uuid.uuid4().hex if job_id is None else job_id),
            kind=kind,
            params=params,
            stage=PIPELINES[kind].first.name,
            tenant=tenant,
            priority=priority,
            deadline_ms=0 if within_s is None else now_ms + round(within_s * 1000),
            created_ms=now_ms,
            updated_ms=now_ms,
        )

    def encode(self) -> dict[str, str]:
        fields = {
            "v": str(VERSION),
            "id": self.id,
            "kind": self.kind.value,
            "params": dump_json(dict(self.params)),
            "stage": self.stage,
            "tenant": self.tenant,
            "status": self.status.value,
            "priority": self.priority.value,
            "deadline_ms": str(self.deadline_ms),
            "progress": repr(self.progress),
            "created_ms": str(self.created_ms),
            "updated_ms": str(self.updated_ms),
            "error": self.error.encode() if self.error else "",
        }
        if self.last_error:
            fields["last_error"] = self.last_error.encode()
        if self.parts:
            fields |= {"parts": dump_json(list(self.parts)), "parts_left": str(self.parts_left)}
        fields |= {f"output:{name}": key for name, key in self.outputs.items()}
        fields |= {f"result:{name}": dump_json(value) for name, value in self.results.items()}
        fields |= {f"warning:{place:04d}": text for place, text in enumerate(self.warnings)}
        fields |= {f"attempts:{stage}": str(count) for stage, count in self.attempts.items()}
        return fields

    @classmethod
    def decode(cls, raw: Mapping[str, str]) -> Self:
        """
        Raises:
            BadInput: the hash is not one that `encode` or the job scripts wrote.
        """
        fields = Fields(raw, "job")
        warnings = fields.prefixed("warning:")
        error = fields.text("error")
        last_error = raw.get("last_error")
        return cls(
            id=checked_id(fields.text("id")),
            kind=parsed_kind(fields.text("kind")),
            params=fields.document("params"),
            stage=fields.text("stage"),
            tenant=raw.get("tenant", DEFAULT_TENANT),  # jobs of earlier releases have none
            status=JobStatus.parse(fields.text("status")),
            priority=_parsed_priority(raw.get("priority", Priority.INTERACTIVE)),
            deadline_ms=fields.integer("deadline_ms") if "deadline_ms" in raw else 0,
            progress=fields.number("progress"),
            created_ms=fields.integer("created_ms"),
            updated_ms=fields.integer("updated_ms"),
            error=Problem.decode(error) if error else None,
            last_error=Problem.decode(last_error) if last_error else None,
            outputs=fields.prefixed("output:"),
            results={name: fields.json(f"result:{name}") for name in fields.prefixed("result:")},
            warnings=tuple(warnings[place] for place in sorted(warnings)),
            attempts={
                stage: fields.integer(f"attempts:{stage}") for stage in fields.prefixed("attempts:")
            },
            parts=tuple(map(str, fields.array("parts"))) if "parts" in raw else (),
            parts_left=fields.integer("parts_left") if "parts" in raw else 0,
        )


def parsed_kind(text: str) -> JobKind:
    """
    Raises:
        BadInput: there is no such kind of job.
    """
    try:
        return JobKind(text)
    except ValueError:
        raise BadInput(f"{text[:40]!r} is no kind of job.") from None


def _parsed_priority(text: str) -> Priority:
    try:
        return Priority(text)
    except ValueError:
        raise BadInput(f"{text[:40]!r} is no priority of a job.") from None
