"""Delivers events to webhooks: signed, tried again with growing pauses, by any of the gateways."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections import Counter

from lipstream.errors import BadInput, LipstreamError, Unavailable
from lipstream.gateway.pinned_post import pinned_post
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.webhooks import WebhookStore
from lipstream.wire.webhook import Delivery, Webhook, signed_headers, test_event

__all__ = ["WebhookSender"]

logger = logging.getLogger(__name__)

_AT_ONCE = 50
_AT_ONCE_EACH = 5
_LEASE_S = 60.0
_IDLE_S = 0.5
_AWAY_S = 5.0
_GROWTH = 4.0
_LONGEST_PAUSE_S = 21_600.0
_MOST_TRIES = 12
"""With pauses from five seconds on, more than a day."""
_GONE = 410


class WebhookSender:
    """
    Args:
        private: whether webhooks may lie on addresses that are not public.
        first_pause_s: before the second try; each further one is four times as long.
    """

    def __init__(
        self, store: WebhookStore, telemetry: Telemetry, *, private: bool, first_pause_s: float
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        self._private = private
        self._first_pause_s = first_pause_s
        self._calls: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        """Calls that run, by webhook."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop at once; what is on its way is due again when its lease is over."""
        tasks = {self._task, *self._calls}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def test(self, webhook: Webhook) -> str:
        """Call a webhook once, now, with an event of no job; what went wrong, or `ok`.

        Raises:
            Unavailable: Redis does not answer.
        """
        body = test_event(webhook, time.time_ns() // 1_000_000)
        result = await self._called(webhook, f"msg_{secrets.token_hex(16)}", body) or "ok"
        await self._store.note(webhook, result)
        return result

    async def _run(self) -> None:
        while True:
            try:
                room = _AT_ONCE - len(self._calls)
                claimed = await self._store.claim(room, _LEASE_S) if room else []
                for delivery in claimed:
                    task = asyncio.create_task(self._settle(*delivery))
                    self._calls.add(task)
                    task.add_done_callback(self._calls.discard)
                await asyncio.sleep(0.0 if claimed else _IDLE_S)
            except LipstreamError as error:
                logger.warning("no webhook is called for now: %s", error.message)
                await asyncio.sleep(_AWAY_S)

    async def _settle(self, delivery_id: str, delivery: Delivery) -> None:
        try:
            if self._busy[delivery.webhook] >= _AT_ONCE_EACH:  # a slow one stands in nobody's way
                await self._store.again(delivery_id, delivery, _IDLE_S)
                return
            self._busy[delivery.webhook] += 1
            try:
                await self._deliver(delivery_id, delivery)
            finally:
                self._busy[delivery.webhook] -= 1
                if not self._busy[delivery.webhook]:
                    del self._busy[delivery.webhook]
        except LipstreamError as error:  # Redis is away: it is due again when its lease is over
            logger.warning("a webhook's call was not settled: %s", error.message)

    async def _deliver(self, delivery_id: str, delivery: Delivery) -> None:
        webhook = await self._store.receiver(delivery)
        if webhook is None:
            await self._store.done(delivery_id)
            return
        problem = await self._called(webhook, delivery.message_id, delivery.body())
        if await self._store.receiver(delivery) is None:  # deleted meanwhile
            await self._store.done(delivery_id)
            return
        await self._store.note(webhook, problem or "ok")
        if not problem:
            self._telemetry.webhook_called("delivered")
            await self._store.done(delivery_id)
            return
        tried = delivery.again
        facts = {"webhook": webhook.id, "job_id": delivery.job_id, "tries": tried.tries}
        if tried.tries >= _MOST_TRIES:
            self._telemetry.webhook_called("given_up")
            logger.error("an event was not delivered: %s", problem, extra=facts)
            await self._store.give_up(delivery_id, tried, problem)
            return
        self._telemetry.webhook_called("failed")
        logger.warning("a webhook failed: %s", problem, extra=facts)
        pause_s = min(self._first_pause_s * _GROWTH**delivery.tries, _LONGEST_PAUSE_S)
        await self._store.again(delivery_id, tried, pause_s * random.uniform(0.8, 1.2))

    async def _called(self, webhook: Webhook, message_id: str, body: bytes) -> str:
        """What went wrong; nothing when it was told."""
        now_ms = time.time_ns() // 1_000_000
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "lipstream",
            **signed_headers(webhook.secrets(now_ms), message_id, now_ms // 1000, body),
        }
        try:
            status = await pinned_post(webhook.url, body, headers, private=self._private)
        except (BadInput, Unavailable) as error:
            return error.message
        if status == _GONE:  # the receiver wants no more
            await self._store.delete(webhook)
        return "" if 200 <= status < 300 else f"It answered {status}."
