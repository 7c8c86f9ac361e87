"""What a stage's handler is given to work on one job."""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from lipstream.errors import BadInput, Cancelled, Outage
from lipstream.pipeline import Stage
from lipstream.runtime.disk import disk_problem
from lipstream.runtime.object_store import ObjectStore
from lipstream.wire.fields import dump_json
from lipstream.wire.job import Job
from lipstream.wire.objects import job_prefix

__all__ = ["Handler", "JobContext"]


class JobContext:
    """One try of one job at one stage.

    A handler runs in a thread of its own. It reads the stage's inputs from `store` and writes the
    stage's outputs there, under their names in `pipeline`; it may be run again from the start, so
    it writes the same bytes each time. It calls `progress` or `check` often: that is where it
    learns that its work is no longer wanted.

    Attributes:
        job: snapshot at the beginning of this try.
        stage: the stage that runs.
        attempt: 1 for the first try.
        part: what to do of a job that was split: a part, `JOIN` to put them together, or "".
        workers: how many this stage has, this one among them.
        store: objects of this job.
        shared: the whole object store, such as for avatars.
    """

    def __init__(
        self,
        job: Job,
        stage: Stage,
        attempt: int,
        shared: ObjectStore,
        scratch_dir: Path | None = None,
        *,
        part: str = "",
        workers: int = 1,
    ) -> None:
        self.job = job
        self.part = part
        self.workers = workers
        self._split: tuple[str, ...] = ()
        self.stage = stage
        self.attempt = attempt
        self.shared = shared
        self.store = shared.under(job_prefix(job.id))
        self._scratch_dir = scratch_dir
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._fraction = 0.0
        self._ask: Callable[[], None] | None = None
        self._stopped = threading.Event()
        self._stop_reason = ""
        self._results: dict[str, Any] = {}
        self._warnings: list[str] = []

    @property
    def params(self) -> Mapping[str, Any]:
        """What the caller asked for."""
        return self.job.params

    @property
    def scratch(self) -> Path:
        """A folder for temporary files, deleted after the try.

        Raises:
            Outage: it cannot be made.
        """
        if self._scratch is None:
            try:
                self._scratch = self._made_scratch()
            except OSError as error:
                raise disk_problem(error) or Outage(
                    f"The {self.stage.name} stage can make no temporary files: {error.strerror}.",
                    remedy="Let it write to the folder of LIPSTREAM_DATA_DIR.",
                    code="no_scratch",
                ) from error
        return Path(self._scratch.name)

    def _made_scratch(self) -> tempfile.TemporaryDirectory[str]:
        if self._scratch_dir is not None:
            self._scratch_dir.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(
            prefix=f"lipstream-{self.stage.name}-",
            dir=self._scratch_dir,
            ignore_cleanup_errors=True,
        )

    def progress(self, fraction: float) -> None:
        """Say how much of this stage is done, 0..1. Costs nothing; call it for every frame.

        Raises:
            Cancelled: the work is no longer wanted.
        """
        if not math.isfinite(fraction):
            raise ValueError("progress must be finite")
        self._fraction = min(1.0, max(self._fraction, fraction))
        self.check()

    def cancelled(self) -> bool:
        """Whether the work is no longer wanted: cancelled, too late, or the process is leaving."""
        return self._stopped.is_set()

    def check(self) -> None:
        """
        Raises:
            Cancelled: the work is no longer wanted.
        """
        if self._stopped.is_set():
            raise Cancelled(self._stop_reason)

    def confirm(self) -> None:
        """Ask whether the work is wanted, before something that others see at once.

        `check` knows what was true at the last sign of life; this asks now.

        Raises:
            Cancelled: the work is no longer wanted.
        """
        if self._ask is not None:
            self._ask()
        self.check()

    def split(self, parts: Sequence[str]) -> None:
        """Have the work done in parts, by any workers, each tried again on its own.

        To be called instead of working. The handler is run for each part, which is `part` then,
        writes under `PARTS`, and once more with `JOIN`. What lies there is deleted afterwards.

        Args:
            parts: of a-z, 0-9 and '-', at most 40 characters each; kept as `job.parts`.
        """
        self._split = tuple(parts)

    def result(self, name: str, value: Any) -> None:
        """Report a fact about the outcome, such as `duration_s`; it is kept with the job.

        Raises:
            BadInput: the value cannot be written as JSON.
        """
        dump_json(value)
        if not name.isidentifier():
            raise BadInput(f"{name!r} is no name of a result.")
        self._results[name] = value

    def warn(self, sentence: str) -> None:
        """Tell the caller something about a job that goes on all the same."""
        self._warnings.append(sentence)

    # What follows is for the worker, not for handlers.

    @property
    def fraction(self) -> float:
        return self._fraction

    @property
    def parts_wanted(self) -> tuple[str, ...]:
        return self._split

    @property
    def results(self) -> Mapping[str, Any]:
        return dict(self._results)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(self._warnings)

    def confirm_by(self, ask: Callable[[], None]) -> None:
        """Let `confirm` call `ask`, from the handler's thread; it may call `stop`."""
        self._ask = ask

    def stop(self, reason: str) -> None:
        """Ask the handler to end; the first reason counts."""
        if not self._stopped.is_set():
            self._stop_reason = reason
            self._stopped.set()

    def close(self) -> None:
        """Delete the scratch folder."""
        if self._scratch is not None:
            self._scratch.cleanup()


class Handler(Protocol):
    """A stage's work on one job. It blocks, and raises from the error tree."""

    def __call__(self, context: JobContext, /) -> None: ...
