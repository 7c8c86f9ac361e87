"""The avatar stage's work on a job, when another process does the fit: start it, and look after it.

A service that was restarted gets the job's message again and finds the fit that runs already, or
the outcome that nobody has read yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from lipstream.avatar.fits.child import ChildLauncher
from lipstream.avatar.fits.cluster import ClusterLauncher
from lipstream.avatar.fits.launcher import FitLauncher, RunningFit
from lipstream.avatar.fits.outcome import FitOutcome
from lipstream.avatar.fits.reports import FitReports
from lipstream.errors import LipstreamError, NotFound, Unavailable
from lipstream.runtime.job_context import Handler, JobContext
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings

__all__ = ["SupervisedFit", "fit_handler"]

logger = logging.getLogger(__name__)

_POLL_S = 0.25
_ENDING_S = 60.0
"""That the cluster may take to notice the end of a process that has said how it ended."""


def fit_handler(settings: Settings) -> Handler:
    """The stage's work on jobs, where the settings want it done.

    Raises:
        BadInput: the settings do not say how.
    """
    if settings.fits == "subprocess":
        return SupervisedFit(ChildLauncher(settings.fit_memory_mb), settings.redis)
    if settings.fits == "kubernetes":
        return SupervisedFit(ClusterLauncher.of(settings.fit_template), settings.redis)
    from lipstream.avatar.job import fit_job

    return fit_job


class SupervisedFit:
    """A handler, so it blocks; each job has an event loop and a connection of its own.

    Args:
        redis: URL.
    """

    def __init__(self, launcher: FitLauncher, redis: str) -> None:
        self._launcher = launcher
        self._redis = redis

    def __call__(self, context: JobContext, /) -> None:
        asyncio.run(self._run(context))

    async def _run(self, context: JobContext) -> None:
        link = RedisLink(self._redis)
        try:
            outcome = await self._outcome(context, link)
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(link.close(), 1.0)
        outcome.apply(context)

    async def _outcome(self, context: JobContext, link: RedisLink) -> FitOutcome:
        reports = FitReports(link)
        outcome = (await reports.get(context.job.id)).outcome
        if outcome is None:
            fit = await asyncio.to_thread(self._launcher.launch, context)
            wanted = True
            try:
                outcome = await _watched(context, reports, fit)
                if outcome.problem is not None:
                    await _gone(context, fit)
            except BaseException:
                wanted = await _wanted(context, link)
                raise
            finally:
                await asyncio.to_thread(fit.leave, unwanted=not wanted)
        # A later try shall not take this one's outcome for its own.
        await reports.forget(context.job.id)
        return outcome


async def _watched(context: JobContext, reports: FitReports, fit: RunningFit) -> FitOutcome:
    """
    Raises:
        Cancelled: the work is no longer wanted here.
        LipstreamError: the fit ended without a word.
    """
    while True:
        # Asked first: what the process reported before its end is read after it.
        end = await asyncio.to_thread(fit.ended)
        try:
            report = await reports.get(context.job.id)
        except Unavailable:  # the fit goes on without Redis; so does this
            context.check()
        else:
            if report.outcome is not None:
                return report.outcome
            if end is not None:
                raise end
            context.progress(report.fraction)
        await asyncio.sleep(_POLL_S)


async def _gone(context: JobContext, fit: RunningFit) -> None:
    """Wait until a fit that failed has ended: the next try shall not take it for one that runs.

    Raises:
        Cancelled: the work is no longer wanted here.
    """
    give_up_s = time.monotonic() + _ENDING_S
    while await asyncio.to_thread(fit.ended) is None and time.monotonic() < give_up_s:
        context.check()
        await asyncio.sleep(_POLL_S)


async def _wanted(context: JobContext, link: RedisLink) -> bool:
    """Whether somebody still waits for the job."""
    try:
        return not (await JobStore(link).get(context.job.id)).status.finished
    except NotFound:
        return False
    except LipstreamError:
        return True
