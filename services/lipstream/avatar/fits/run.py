"""One fit as a process: read the job, do the work, report."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math

from lipstream.avatar.fits.outcome import FitOutcome
from lipstream.avatar.fits.reports import FitReports
from lipstream.errors import Cancelled, LipstreamError, NotFound, Outage
from lipstream.pipeline import stage_named
from lipstream.runtime.disk import disk_problem
from lipstream.runtime.handler_thread import run_in_thread
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.object_store import open_store
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings

__all__ = ["run_fit"]

logger = logging.getLogger(__name__)

_CONFIRM_TIMEOUT_S = 10.0
_PATIENCE_S = 3.0
"""For the first answer of Redis; once something was computed, there is no limit."""


async def run_fit(settings: Settings, job_id: str, stopping: asyncio.Event) -> bool:
    """Do a job's fit; say whether it was done.

    How it ended is reported, unless nobody waits for it: the job has ended, or `stopping` is set.

    Raises:
        NotFound: there is no such job.
        Outage: Redis does not answer.
    """
    link = RedisLink(settings.redis, patience_s=math.inf)
    try:
        await link.call(lambda: link.client.ping(), _PATIENCE_S)
        reports = FitReports(link)
        try:
            outcome = await _fit(settings, job_id, JobStore(link), reports, stopping)
        except Outage as error:
            outcome = FitOutcome.failure(error)
        if outcome is None:
            return False
        await reports.end(job_id, outcome)
        return outcome.problem is None
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(link.close(), 1.0)


async def _fit(
    settings: Settings,
    job_id: str,
    jobs: JobStore,
    reports: FitReports,
    stopping: asyncio.Event,
) -> FitOutcome | None:
    job = await jobs.get(job_id)
    store = await asyncio.to_thread(open_store, settings.store_url)
    context = JobContext(
        job, stage_named("avatar"), 1, store, settings.data_dir.absolute() / "scratch"
    )
    try:
        return await _work(context, jobs, reports, settings.heartbeat_s, stopping)
    finally:
        await asyncio.to_thread(context.close)


async def _work(
    context: JobContext,
    jobs: JobStore,
    reports: FitReports,
    heartbeat_s: float,
    stopping: asyncio.Event,
) -> FitOutcome | None:
    loop = asyncio.get_running_loop()

    async def beat() -> None:
        if stopping.is_set():
            context.stop("The process is leaving.")
        with contextlib.suppress(NotFound):
            if not (await jobs.get(context.job.id)).status.finished:
                await reports.progress(context.job.id, context.fraction)
                return
        context.stop("The job has ended.")

    def ask() -> None:
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(beat(), loop).result(_CONFIRM_TIMEOUT_S)

    context.confirm_by(ask)
    finished = run_in_thread(_fit_job, context)
    while not finished.done():
        await asyncio.wait((finished,), timeout=heartbeat_s)
        if not finished.done():
            await beat()
    error = finished.exception()
    if error is None:
        return FitOutcome.success(context)
    if isinstance(error, Cancelled) and context.cancelled():
        return None
    error = disk_problem(error) or error
    if not isinstance(error, LipstreamError):
        logger.error("the fit failed", exc_info=error)
    return FitOutcome.failure(error)


def _fit_job(context: JobContext) -> None:
    # Loaded as late as this: a try that an outage ends costs a third.
    from lipstream.avatar.job import fit_job

    fit_job(context)
