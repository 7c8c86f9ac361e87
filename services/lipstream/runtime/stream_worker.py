"""Works on the jobs of one stage's stream, one message at a time or a few, until told to leave.

The loop talks to Redis and never computes; handlers compute, each in a thread of its own. What
may go wrong, and what becomes of it:

- the process dies: the message stays pending; when its signs of life have been missing for long
  enough, another worker takes it over. The try was counted in Redis, so that work that kills
  every process is given up as well.
- Redis goes away: the handler goes on; its result waits until Redis is back.
- the handler raises: the error's verdict says whether to try again, after a wait that doubles, in
  which other messages go ahead; or to fail the job with the reason and keep a dead letter.
- the store, the model server or space on the disk is gone: as before, but such tries do not count;
  it is given up when the outage has lasted for `outage_limit_s`.
- the handler takes longer than the stage's deadline: as if it had raised. A handler that does not
  even stop then makes the worker raise `HandlerStuck`, since a thread cannot be killed.
- the process is told to leave: nothing new is taken; running work may finish within `drain_s`,
  after which it is handed back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time

from lipstream.errors import BadInput, Internal, LipstreamError, Unavailable, Verdict
from lipstream.pipeline import PIPELINES, Stage
from lipstream.runtime.claim import Claim, Delivery
from lipstream.runtime.disk import disk_problem
from lipstream.runtime.handler_thread import run_in_thread
from lipstream.runtime.job_context import Handler, JobContext
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.logs import bound
from lipstream.runtime.object_store import ObjectStore
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.stage_members import StageMembers
from lipstream.runtime.stage_queue import StageQueue
from lipstream.runtime.stop_waits import patiently, unless
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.tracing import span
from lipstream.runtime.worker_options import WorkerOptions
from lipstream.wire.job import JOIN, JobStatus
from lipstream.wire.objects import PARTS, job_object
from lipstream.wire.problem import Problem

__all__ = ["HandlerStuck", "StreamWorker"]

logger = logging.getLogger(__name__)

_CONFIRM_TIMEOUT_S = 10.0
_UPKEEP_S = 2.0


class HandlerStuck(Internal):
    """A handler did not stop when it was told to; only the end of the process ends it."""

    code = "handler_stuck"


class StreamWorker:
    """
    Args:
        stage: whose stream.
        handle: the stage's work on one job.
        link: to Redis, with patience without end.
        store: the whole object store.
    """

    def __init__(
        self,
        stage: Stage,
        handle: Handler,
        *,
        link: RedisLink,
        store: ObjectStore,
        telemetry: Telemetry,
        options: WorkerOptions | None = None,
    ) -> None:
        self._stage = stage
        self._handle = handle
        self._link = link
        self._store = store
        self._telemetry = telemetry
        self._options = options or WorkerOptions()
        self._consumer = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._queue = StageQueue(link, stage, self._consumer, ttl_s=self._options.job_ttl_s)
        self._members = StageMembers(link, stage, self._consumer)
        self._running: dict[asyncio.Task[None], JobContext | None] = {}
        self._joined = False
        self._stuck: HandlerStuck | None = None

    @property
    def ready(self) -> bool:
        """Whether it takes work: it has joined the group, and Redis answers."""
        return self._joined and self._link.answers

    @property
    def reaches_redis(self) -> bool:
        """Whether Redis answered last time."""
        return self._link.answers

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set.

        Raises:
            HandlerStuck: end the process.
        """
        if not await unless(stopping, self._join()):
            return
        self._joined = True
        upkeep = asyncio.create_task(self._upkeep())
        slots = asyncio.Semaphore(self._options.concurrency)
        try:
            while await unless(stopping, slots.acquire()):
                if self._stuck or not await self._take(slots, stopping):
                    break
        finally:
            self._joined = False
            upkeep.cancel()
            await self._drain()
            with contextlib.suppress(LipstreamError):
                await self._members.leave()
        if self._stuck:
            raise self._stuck

    async def _join(self) -> None:
        await self._queue.ensure_group()
        await self._members.show_presence()

    async def _take(self, slots: asyncio.Semaphore, stopping: asyncio.Event) -> bool:
        """Begin with one message, if there is one; say whether to go on."""
        # A read is never cut short: Redis may have handed out the message already.
        delivery = await patiently(self._next(), stopping, self._options.block_ms / 1000 + 3)
        if delivery is None or stopping.is_set():
            slots.release()
            if delivery is not None:
                await self._hand_back(delivery)
            return not stopping.is_set()
        task = asyncio.create_task(self._work(delivery))
        self._running[task] = None
        task.add_done_callback(lambda done: self._ended(done, slots))
        return True

    def _ended(self, task: asyncio.Task[None], slots: asyncio.Semaphore) -> None:
        self._running.pop(task, None)
        slots.release()
        if not task.cancelled() and (error := task.exception()):
            logger.error("work ended by a fault of the worker", exc_info=error)

    async def _next(self) -> Delivery | None:
        await self._queue.promote()
        if taken := await self._queue.take_over(round(self._options.claim_idle_s * 1000)):
            logger.warning("took over work of a worker without a sign of life")
            self._telemetry.took_over()
            return taken
        return await self._queue.read(self._options.block_ms)

    async def _hand_back(self, delivery: Delivery) -> None:
        with contextlib.suppress(LipstreamError):
            if claim := await self._queue.begin(delivery):
                await self._queue.release(claim)

    async def _work(self, delivery: Delivery) -> None:
        try:
            claim = await self._queue.begin(delivery)
        except BadInput as error:
            logger.error("malformed message: %s", error)
            self._telemetry.dead_lettered(Verdict.RETRY)  # no caller writes messages
            await self._queue.bury(delivery, error)
            return
        if claim is None:
            return
        with bound(job_id=claim.job.id), self._telemetry.in_flight("job"):
            if claim.exhausted:
                await self._give_up(claim, claim.last_error or self._killed(claim))
                return
            self._telemetry.queue_waited(claim.waited_s)
            logger.info("work began", extra={"attempt": claim.attempt})
            began_s = asyncio.get_running_loop().time()
            context = JobContext(
                claim.job,
                self._stage,
                claim.attempt,
                self._store,
                self._options.scratch_dir,
                part=claim.message.part,
                workers=await self._members.count(),
            )
            task = asyncio.current_task()
            assert task is not None
            self._running[task] = context
            with span(
                "job",
                parent=claim.message.traceparent,
                job_id=claim.job.id,
                attempt=claim.attempt,
                waited_s=claim.waited_s,
            ) as work:
                outcome = await self._try(claim, context)
                work.set(outcome=outcome)
            if outcome != "done" and await self._queue.forgotten(claim):
                await asyncio.to_thread(self._sweep, claim)
            duration_s = asyncio.get_running_loop().time() - began_s
            self._telemetry.work_ended(outcome, duration_s)
            logger.info("work ended", extra={"outcome": outcome, "duration_s": duration_s})

    async def _try(self, claim: Claim, context: JobContext) -> str:
        """Run the handler and settle what became of it; say in one word what."""
        clock = asyncio.get_running_loop()

        def ask() -> None:
            beat = asyncio.run_coroutine_threadsafe(self._beat(claim, context), clock)
            with contextlib.suppress(TimeoutError):
                beat.result(_CONFIRM_TIMEOUT_S)

        context.confirm_by(ask)
        finished = run_in_thread(self._handle, context)
        late = lost = False
        deadline_s = clock.time() + self._stage.deadline_s
        stop_by_s: float | None = None
        while not finished.done():
            await asyncio.wait((finished,), timeout=self._options.heartbeat_s)
            if finished.done():
                break
            if clock.time() > deadline_s and not context.cancelled():
                late = True
                context.stop(f"The {self._stage.name} stage took longer than its deadline.")
            if not lost:
                lost = await self._beat(claim, context) in ("lost", "ended")
            if context.cancelled():
                stop_by_s = stop_by_s or clock.time() + self._options.stop_grace_s
                if clock.time() > stop_by_s:
                    break
        if not finished.done():
            self._stuck = HandlerStuck(f"The {self._stage.name} stage did not stop when told to.")
            error: BaseException | None = self._stuck
        else:
            error = finished.exception()
            await asyncio.to_thread(context.close)
        if lost:
            return await self._forget(claim)
        if error is None:
            return await self._done(claim, context)
        if late:
            return await self._again(claim, self._overdue())
        if context.cancelled():
            return await self._queue.release(claim) and "released"
        return await self._failed(claim, error)

    async def _done(self, claim: Claim, context: JobContext) -> str:
        if context.parts_wanted:
            return await self._queue.split(claim, context.parts_wanted)
        if claim.message.part not in ("", JOIN):
            return await self._queue.part_done(claim)
        outcome = await self._queue.advance(claim, context.results, context.warnings)
        if outcome == "done":
            if claim.message.part == JOIN:
                await asyncio.to_thread(self._delete_parts, claim)
            if PIPELINES[claim.job.kind].after(self._stage.name) is None:
                self._job_ended(claim, JobStatus.SUCCEEDED)
        return outcome

    async def _beat(self, claim: Claim, context: JobContext) -> str:
        try:
            state = await self._queue.beat(claim, context.fraction)
        except Unavailable:
            return "unknown"
        except LipstreamError as error:
            logger.warning("heartbeat failed: %s", error)
            return "unknown"
        if state == "ended":
            context.stop("The job was cancelled, or is too late.")
        elif state == "lost":
            logger.warning("another worker has taken this work over")
            context.stop("Another worker has taken this work over.")
        return state

    async def _forget(self, claim: Claim) -> str:
        """Nobody waits for this try: the job has ended, or another worker has it."""
        # Does not hand back what it no longer holds, but removes the message of an ended job.
        state = await self._queue.release(claim)
        return "cancelled" if state == "over" else "lost"

    def _sweep(self, claim: Claim) -> None:
        """Delete what this try wrote after the job and its objects were deleted."""
        with contextlib.suppress(LipstreamError):
            for name in self._stage.outputs:
                self._store.delete(job_object(claim.job.id, name))
        self._delete_parts(claim)

    def _delete_parts(self, claim: Claim) -> None:
        with contextlib.suppress(LipstreamError):
            self._store.delete_all(job_object(claim.job.id, PARTS))

    async def _failed(self, claim: Claim, error: BaseException) -> str:
        error = disk_problem(error) or error
        if not isinstance(error, LipstreamError):
            logger.error("the handler failed", exc_info=error)
            reason = "ran out of memory" if isinstance(error, MemoryError) else "failed"
            error = Internal(
                f"The {self._stage.name} stage {reason} on this job; the fault is logged."
            )
        if error.retryable:
            return await self._again(claim, error)
        if error.verdict is Verdict.DROP:
            # The handler knows that nobody waits, though nobody cancelled the job.
            error = Internal(f"The {self._stage.name} stage gave this job up: {error.message}")
        await self._give_up(claim, Problem.of(error), error.verdict)
        return "failed"

    async def _again(self, claim: Claim, error: LipstreamError) -> str:
        outage = error.verdict is Verdict.WAIT
        if self._had_its_tries(claim, outage):
            await self._give_up(claim, Problem.of(error))
            return "failed"
        delay_s = self._options.pause_s(claim.outages.tries if outage else claim.attempt - 1)
        logger.warning("another try in %.1f s: %s", delay_s, error, extra={"code": error.code})
        self._telemetry.retried(error.code)
        await self._queue.retry(claim, Problem.of(error), delay_s, outage=outage)
        return "retried"

    def _had_its_tries(self, claim: Claim, outage: bool) -> bool:
        if not outage:
            return claim.attempt >= self._stage.max_tries
        since_ms = claim.outages.since_ms
        return since_ms > 0 and time.time() - since_ms / 1000 > self._options.outage_limit_s

    async def _give_up(
        self, claim: Claim, problem: Problem, verdict: Verdict = Verdict.RETRY
    ) -> None:
        logger.error("job failed: %s", problem.detail, extra={"code": problem.code})
        self._telemetry.dead_lettered(verdict)
        if await self._queue.fail(claim, problem) == "done":
            self._job_ended(claim, JobStatus.FAILED)

    def _job_ended(self, claim: Claim, status: JobStatus) -> None:
        duration_s = max(0.0, time.time() - claim.job.created_ms / 1000)
        self._telemetry.job_ended(claim.job.kind.value, status.value, duration_s)

    def _overdue(self) -> LipstreamError:
        return Internal(
            f"The {self._stage.name} stage took longer than {self._stage.deadline_s:g} s.",
            remedy="Try a shorter or smaller input.",
            code="deadline_exceeded",
        )

    def _killed(self, claim: Claim) -> Problem:
        return Problem.of(
            Internal(
                f"The {self._stage.name} stage ended abruptly {claim.attempt - 1} times while it "
                "worked on this job.",
                remedy="The input may need more memory than there is; try a smaller one.",
                code="worker_died",
            )
        )

    async def _drain(self) -> None:
        """Let running work finish for a while, then hand it back."""
        if not self._running:
            return
        logger.info("draining", extra={"in_flight": len(self._running)})
        await asyncio.wait(self._running, timeout=0.01 if self._stuck else self._options.drain_s)
        for context in self._running.values():
            if context is not None:
                context.stop("The process is leaving.")
        if self._running:
            grace_s = self._options.stop_grace_s + 2 * self._options.heartbeat_s
            await asyncio.wait(self._running, timeout=grace_s)
        for task in list(self._running):
            task.cancel()

    async def _upkeep(self) -> None:
        """Keep deadlines, the gauges true, and the group free of workers that are long gone."""
        jobs = JobStore(self._link, ttl_s=self._options.job_ttl_s)
        while True:
            with contextlib.suppress(LipstreamError):
                await self._members.show_presence()
                await jobs.expire()
                depth = await self._queue.depth()
                self._telemetry.queue_depth(
                    waiting=depth.waiting,
                    delayed=depth.delayed,
                    pending=depth.pending,
                    dead=depth.dead,
                    oldest_s=await self._queue.oldest_s(),
                    held_back=await self._queue.held_back(),
                )
                await self._members.forget_idle(idle_ms=3_600_000)
            await asyncio.sleep(_UPKEEP_S)
