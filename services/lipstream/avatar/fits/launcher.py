"""What starts fits, and what a running one looks like to the service."""

from __future__ import annotations

from typing import Protocol

from lipstream.errors import LipstreamError
from lipstream.runtime.job_context import JobContext

__all__ = ["FitLauncher", "RunningFit"]


class RunningFit(Protocol):
    """A fit's process somewhere. Methods block for some seconds at most."""

    def ended(self) -> LipstreamError | None:
        """Why its process ended, in words for users; None while it runs.

        A fit that reported its outcome ends as well: the report counts.
        """
        ...

    def leave(self, *, unwanted: bool) -> None:
        """This service looks after it no longer.

        Args:
            unwanted: nobody waits for its result; else another service may look after it.
        """
        ...


class FitLauncher(Protocol):
    def launch(self, context: JobContext) -> RunningFit:
        """Start a job's fit, or find the one that runs already.

        Raises:
            LipstreamError: it cannot be started.
        """
        ...
