"""One stage's stream as its workers see it: take work, keep hold of it, hand it on or give it up.

A message is in exactly one place: waiting for its turn (see `fair_queue`), ready in the stream,
pending with one consumer, or waiting in the delayed set for another try. Each change of place is
one script of `job_scripts`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lipstream.errors import BadInput, LipstreamError
from lipstream.pipeline import PIPELINES, Stage
from lipstream.runtime import job_scripts
from lipstream.runtime.claim import Claim, Delivery, Depth, Outages, age_s
from lipstream.runtime.fair_queue import HELD_BACK
from lipstream.runtime.jobs import flat
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.fields import dump_json
from lipstream.wire.job import JOIN, Job
from lipstream.wire.messages import StageMessage
from lipstream.wire.objects import job_object
from lipstream.wire.problem import Problem
from lipstream.wire.streams import (
    GROUP,
    dead_stream,
    delayed_set,
    events_stream,
    job_key,
    waiting_hash,
)

__all__ = ["StageQueue"]

logger = logging.getLogger(__name__)

_PROMOTED_AT_ONCE = 100
_PARTS_SHARE = 0.95
"""Of a split stage's work; the rest is to join them."""


class StageQueue:
    """
    Args:
        stage: whose stream.
        consumer: a name that no other worker has.
        ttl_s: how long a finished job is remembered.

    Raises:
        Unavailable: from every method, when Redis does not answer within the link's patience.
    """

    def __init__(
        self, link: RedisLink, stage: Stage, consumer: str, *, ttl_s: float = 604_800.0
    ) -> None:
        self._link = link
        self._stage = stage
        self._consumer = consumer
        self._ttl_s = str(max(1, round(ttl_s)))
        self._claims = 0

    async def ensure_group(self) -> None:
        """Make the stream and its group, when they are missing."""
        from redis.exceptions import ResponseError

        async def create() -> None:
            try:
                await self._client.xgroup_create(self._stage.stream, GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

        await self._link.call(create)

    async def read(self, block_ms: int) -> Delivery | None:
        """A message that no worker had yet; None when none came within `block_ms`."""

        async def ask() -> Any:
            return await self._client.xreadgroup(
                GROUP, self._consumer, {self._stage.stream: ">"}, count=1, block=block_ms
            )

        reply = await self._or_regroup(ask)
        if not reply:
            return None
        message_id, fields = reply[0][1][0]
        return Delivery(message_id, fields)

    async def take_over(self, idle_ms: int) -> Delivery | None:
        """A message whose worker has shown no sign of life for `idle_ms`."""

        async def ask() -> Any:
            return await self._client.xautoclaim(
                self._stage.stream, GROUP, self._consumer, min_idle_time=idle_ms, count=1
            )

        reply = await self._or_regroup(ask)
        # Redis 7 adds a third field with deleted ids; 6.2 gives those as empty entries instead.
        for message_id, fields in reply[1] if reply else ():
            if message_id and fields:
                return Delivery(message_id, fields)
        return None

    async def promote(self) -> int:
        """Put messages whose wait is over back into the stream; say how many."""
        keys = [delayed_set(self._stage.name), self._stage.stream]
        return int(await self._eval(job_scripts.PROMOTE, keys, str(_PROMOTED_AT_ONCE)))

    async def begin(self, delivery: Delivery) -> Claim | None:
        """Take hold of a delivered message's job and count the try.

        Returns:
            None when there is nothing to do: the job ended, is past this stage, or is unknown.

        Raises:
            BadInput: the message is malformed; `bury` it.
        """
        message = StageMessage.decode(delivery.fields)
        if message.stage != self._stage.name:
            raise BadInput(f"A message for {message.stage} is in the stream of {self._stage.name}.")
        self._claims += 1
        holder = f"{self._consumer}:{self._claims}"
        state, attempt, raw = await self._eval(
            job_scripts.BEGIN,
            self._keys(message),
            GROUP,
            delivery.message_id,
            message.work,
            holder,
            str(self._stage.max_tries),
        )
        if state == "over":
            return None
        fields: dict[str, str] = dict(zip(raw[::2], raw[1::2], strict=True))

        def own(name: str) -> str:
            return fields.get(f"{name}:{message.part}" if message.part else name, "")

        last_error = own("last_error")
        return Claim(
            message_id=delivery.message_id,
            message=message,
            holder=holder,
            job=Job.decode(fields),
            attempt=int(attempt),
            exhausted=state == "exhausted",
            last_error=Problem.decode(last_error) if last_error else None,
            outages=Outages(int(own("outage_tries") or 0), int(own("outage_ms") or 0)),
            waited_s=age_s(delivery.message_id, delivery.fields),
        )

    async def beat(self, claim: Claim, fraction: float) -> str:
        """Show a sign of life, and how far the stage is.

        Returns:
            `ok`, `ended` when the job was cancelled or its deadline has passed, or `lost` when
            another worker has taken over.

        Raises:
            Unavailable: Redis does not answer now; this method does not wait for it.
        """
        progress = repr(round(self._progress(claim, fraction), 4))
        args = [*self._claim_args(claim), self._consumer, progress]
        answer: str = await self._eval(
            job_scripts.BEAT, self._keys(claim.message), *args, patience_s=0.0
        )
        return answer

    async def advance(
        self, claim: Claim, results: Mapping[str, Any], warnings: tuple[str, ...]
    ) -> str:
        """The stage is done: queue the job at the next one, or end it. Done twice, it counts once.

        Returns:
            `done`; `over` when the job had ended or moved on; `lost` when another has it.
        """
        following = PIPELINES[claim.message.kind].after(self._stage.name)
        news = {f"output:{n}": job_object(claim.job.id, n) for n in self._stage.outputs}
        news |= {f"result:{name}": dump_json(value) for name, value in results.items()}
        known = len(claim.job.warnings)
        news |= {f"warning:{known + n:04d}": text for n, text in enumerate(warnings)}
        message = ""
        if following:
            onward = replace(claim.message, stage=following.name, attempt=1, part="")
            message = dump_json(flat(onward.encode()))
        target = following.stream if following else self._stage.stream
        answer: str = await self._eval(
            job_scripts.ADVANCE,
            [*self._keys(claim.message), target],
            *self._claim_args(claim),
            following.name if following else "",
            repr(round(self._progress(claim, 1.0), 4)),
            self._ttl_s,
            message,
            *flat(news),
        )
        return answer

    async def split(self, claim: Claim, parts: Sequence[str]) -> str:
        """Queue parts of the work in its place; when all are done, `JOIN` comes.

        Returns:
            As `advance`.
        """
        messages = [replace(claim.message, part=part, attempt=1) for part in parts]
        answer: str = await self._eval(
            job_scripts.SPLIT,
            self._keys(claim.message),
            *self._claim_args(claim),
            dump_json(list(parts)),
            *(dump_json(flat(message.encode())) for message in messages),
        )
        return answer

    async def part_done(self, claim: Claim) -> str:
        """A part is done.

        Returns:
            As `advance`.
        """
        join = replace(claim.message, part=JOIN, attempt=1)
        answer: str = await self._eval(
            job_scripts.PART_DONE,
            self._keys(claim.message),
            *self._claim_args(claim),
            claim.message.part,
            repr(round(self._progress(claim, 1.0), 4)),
            dump_json(flat(join.encode())),
        )
        return answer

    async def retry(
        self, claim: Claim, problem: Problem, delay_s: float, *, outage: bool = False
    ) -> str:
        """Give the job another try at this stage after a while; `outage`: this one counts not."""
        again = replace(claim.message, attempt=claim.attempt + (not outage))
        answer: str = await self._eval(
            job_scripts.RETRY,
            [*self._keys(claim.message), delayed_set(self._stage.name)],
            *self._claim_args(claim),
            str(round(delay_s * 1000)),
            problem.encode(),
            dump_json(flat(again.encode())),
            "1" if outage else "",
        )
        return answer

    async def release(self, claim: Claim) -> str:
        """Hand the work back as if it had not been taken."""
        answer: str = await self._eval(
            job_scripts.RELEASE,
            self._keys(claim.message),
            *self._claim_args(claim),
            *flat(claim.message.encode()),
        )
        return answer

    async def fail(self, claim: Claim, problem: Problem) -> str:
        """End the job with its reason, and keep the message as a dead letter."""
        letter = claim.message.encode() | {
            "attempt": str(claim.attempt),
            "message_id": claim.message_id,
            "problem": problem.encode(),
        }
        answer: str = await self._eval(
            job_scripts.FAIL,
            [*self._keys(claim.message), dead_stream(self._stage.name)],
            *self._claim_args(claim),
            self._ttl_s,
            problem.encode(),
            *flat(letter),
        )
        return answer

    async def forgotten(self, claim: Claim) -> bool:
        """Whether its job was deleted meanwhile."""
        return not await self._link.call(lambda: self._client.exists(job_key(claim.job.id)))

    async def bury(self, delivery: Delivery, error: LipstreamError) -> None:
        """Move a message that belongs to no job among the dead letters."""
        letter = {name[:100]: value[:1000] for name, value in list(delivery.fields.items())[:20]}
        letter |= {"message_id": delivery.message_id, "problem": Problem.of(error).encode()}
        await self._link.call(
            lambda: self._client.xadd(dead_stream(self._stage.name), letter, maxlen=10_000)
        )
        await self.acknowledge(delivery.message_id)

    async def acknowledge(self, message_id: str) -> None:
        """Take a message out of the stream, in one step: what stays there counts as work."""

        async def ask() -> None:
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.xack(self._stage.stream, GROUP, message_id)
                pipe.xdel(self._stage.stream, message_id)
                await pipe.execute()

        await self._link.call(ask)

    async def depth(self) -> Depth:
        stream = self._stage.stream
        total = int(await self._link.call(lambda: self._client.xlen(stream), patience_s=0.0))
        total += int(
            await self._link.call(lambda: self._client.hlen(waiting_hash(stream)), patience_s=0.0)
        )
        delayed = int(
            await self._link.call(
                lambda: self._client.zcard(delayed_set(self._stage.name)), patience_s=0.0
            )
        )
        pending = int(
            (await self._link.call(lambda: self._client.xpending(stream, GROUP), patience_s=0.0))[
                "pending"
            ]
        )
        dead = int(
            await self._link.call(
                lambda: self._client.xlen(dead_stream(self._stage.name)), patience_s=0.0
            )
        )
        return Depth(max(0, total - pending), delayed, pending, dead)

    async def held_back(self) -> int:
        """How many of those that wait do so because their tenant is at its cap."""
        return int(await self._eval(HELD_BACK, [self._stage.stream], "", patience_s=0.0))

    async def oldest_s(self) -> float:
        """How long the message that is next has waited; 0 when none waits."""
        stream = self._stage.stream
        groups: Any = await self._link.call(
            lambda: self._client.xinfo_groups(stream), patience_s=0.0
        )
        last = next((g["last-delivered-id"] for g in groups if g["name"] == GROUP), "0-0")
        following: Any = await self._link.call(
            lambda: self._client.xrange(stream, min=f"({last}", count=1), patience_s=0.0
        )
        return age_s(*following[0]) if following else 0.0

    @property
    def _client(self) -> Any:
        return self._link.client

    def _keys(self, message: StageMessage) -> list[str]:
        return [job_key(message.job_id), events_stream(message.job_id), self._stage.stream]

    def _claim_args(self, claim: Claim) -> list[str]:
        return [GROUP, claim.message_id, claim.message.work, claim.holder]

    def _progress(self, claim: Claim, fraction: float) -> float:
        """The whole job's progress when this stage, or this part of it, is at `fraction`; 0..1."""
        count = len(claim.job.parts)
        if claim.message.part == JOIN:
            fraction = _PARTS_SHARE + (1 - _PARTS_SHARE) * fraction
        elif claim.message.part:
            # As far as was known when this part began.
            fraction = _PARTS_SHARE * (count - claim.job.parts_left + fraction) / count
        stages = PIPELINES[claim.message.kind].stages
        place = [stage.name for stage in stages].index(self._stage.name)
        before = sum(stage.progress_share for stage in stages[:place])
        share = stages[place].progress_share
        return (before + share * fraction) / sum(stage.progress_share for stage in stages)

    async def _or_regroup(self, ask: Any) -> Any:
        """What `ask` gives; None after the group had to be made anew, as after a loss of data."""
        from redis.exceptions import ResponseError

        async def guarded() -> Any:
            try:
                return await ask()
            except ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                logger.warning("the stream or its group was gone; making it anew")
                await self.ensure_group()
                return None

        return await self._link.call(guarded)

    async def _eval(
        self, script: str, keys: list[str], *args: str, patience_s: float | None = None
    ) -> Any:
        return await self._link.call(
            lambda: self._client.eval(script, len(keys), *keys, *args), patience_s
        )
