"""What starts fits, and what a running one looks like to the service."""

from __future__ import annotations

import os
from typing import Protocol

from lipstream.errors import LipstreamError, Outage
from lipstream.runtime.job_context import JobContext

__all__ = ["EXIT_SPEECHLESS", "FitLauncher", "RunningFit", "speechless"]

EXIT_SPEECHLESS = os.EX_TEMPFAIL
"""Exit status of a fit's process that did not reach Redis, so that it could not say so there."""


def speechless() -> Outage:
    """What such an end means: nothing of the job."""
    return Outage(
        "The fit's process does not reach Redis.",
        remedy="See whether fits may connect to what LIPSTREAM_REDIS names.",
        code="redis_unavailable",
    )


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
