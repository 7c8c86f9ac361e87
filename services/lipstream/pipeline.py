"""The pipelines as data: which stage follows which, over which stream, under which deadline.

The gateway, the stage workers, the supervisor of a local stack and the deployment files are all
wired from this table; no other file repeats an order of stages.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["PIPELINES", "STAGES", "JobKind", "Pipeline", "Stage", "stage_named"]


class JobKind(StrEnum):
    VIDEO = "video"
    AVATAR = "avatar"


@dataclass(frozen=True, slots=True)
class Stage:
    """One service: a gRPC server for the live path and a worker of one stream for jobs."""

    name: str
    inputs: tuple[str, ...]
    """Objects that it reads, by name under the job's prefix."""
    outputs: tuple[str, ...]
    """Objects that it writes, by name under the job's prefix. A fit writes to the avatars."""
    deadline_s: float
    """A message that runs longer is given up and retried."""
    max_tries: int = 3
    progress_share: float = 1.0
    """Part of the whole job's work, for progress bars."""

    @property
    def stream(self) -> str:
        """Redis stream that its worker consumes.

        What stands in braces decides the slot in a Redis Cluster: everything of ours shares one,
        since a job's state and its messages change together.
        """
        return f"{{lipstream}}:jobs:{self.name}"

    @property
    def module(self) -> str:
        """`python -m` this module runs the stage."""
        return f"lipstream.{self.name}"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages in the order in which a job passes them."""

    kind: JobKind
    stages: tuple[Stage, ...]

    @property
    def first(self) -> Stage:
        return self.stages[0]

    def after(self, stage: str) -> Stage | None:
        """The stage that follows, or None when `stage` is the last."""
        names = [s.name for s in self.stages]
        position = names.index(stage) + 1
        return self.stages[position] if position < len(self.stages) else None


AUDIO = Stage(
    "audio",
    inputs=("input",),
    outputs=("speech.wav", "encoder.txt", "features.npy"),
    deadline_s=600,
    progress_share=0.1,
)
MOTION = Stage(
    "motion",
    inputs=("encoder.txt", "features.npy"),
    outputs=("motion.npz",),
    deadline_s=600,
    progress_share=0.1,
)
RENDER = Stage(
    "render",
    inputs=("speech.wav", "motion.npz"),  # and what is behind, if it was sent
    outputs=("video",),
    deadline_s=3600,
    progress_share=0.8,
)
AVATAR = Stage(
    "avatar",
    inputs=("input",),  # with an ending of its own; the job's parameters say which
    outputs=(),
    deadline_s=300,
)

PIPELINES: dict[JobKind, Pipeline] = {
    JobKind.VIDEO: Pipeline(JobKind.VIDEO, (AUDIO, MOTION, RENDER)),
    JobKind.AVATAR: Pipeline(JobKind.AVATAR, (AVATAR,)),
}
STAGES: tuple[Stage, ...] = (AUDIO, MOTION, AVATAR, RENDER)


def stage_named(name: str) -> Stage:
    """The stage of that name.

    Raises:
        KeyError: there is none.
    """
    return {stage.name: stage for stage in STAGES}[name]
