"""Webhooks and what is to be delivered to them, in Redis.

The script that ends a job also writes a delivery for each webhook of its tenant, so that no event
is lost. A delivery is leased to one sender at a time; one whose sender was killed is due again when
its lease is over.
"""

from __future__ import annotations

import base64
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from lipstream.errors import BadInput, NotFound, Overloaded
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.streams import (
    webhook_deliveries,
    webhook_failures,
    webhook_key,
    webhooks_due,
    webhooks_of,
)
from lipstream.wire.webhook import EVENT_TYPES, Delivery, Webhook

__all__ = ["WebhookStore"]

logger = logging.getLogger(__name__)

_MOST = 20
"""Of a tenant."""
_FAILURES_KEPT = 1000

# KEYS: due, deliveries. ARGV: how many at most, lease in ms. Answers ids and deliveries in turn.
_CLAIM = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
local claimed = {}
for _, id in ipairs(due) do
  local delivery = redis.call('HGET', KEYS[2], id)
  if delivery then
    redis.call('ZADD', KEYS[1], now + ARGV[2], id)
    claimed[#claimed + 1] = id
    claimed[#claimed + 1] = delivery
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
return claimed
"""


class WebhookStore:
    """
    Raises:
        Unavailable: from every method, when Redis does not answer within the link's patience.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def create(self, tenant: str, url: str, events: Sequence[str] = ()) -> Webhook:
        """A new one, with a secret.

        Args:
            events: of which it is told; of all by default.

        Raises:
            BadInput: there is no such event.
            Overloaded: the tenant has too many already.
        """
        unknown = set(events) - set(EVENT_TYPES)
        if unknown:
            raise BadInput(
                f"There is no event {min(unknown)[:40]!r}.",
                remedy=f"Choose of {', '.join(EVENT_TYPES)}.",
                code="bad_event",
            )
        if len(await self.of_tenant(tenant)) >= _MOST:
            raise Overloaded(f"There are {_MOST} webhooks.", remedy="Delete one first.")
        webhook = Webhook(
            id=secrets.token_hex(8),
            tenant=tenant,
            url=url,
            secret=_new_secret(),
            events=tuple(events) or EVENT_TYPES,
            created_ms=time.time_ns() // 1_000_000,
        )

        async def write() -> None:
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.hset(webhook_key(webhook.id), mapping=webhook.encode())
                pipe.sadd(webhooks_of(tenant), webhook.id)
                await pipe.execute()

        await self._link.call(write)
        return webhook

    async def of_tenant(self, tenant: str) -> list[Webhook]:
        """A tenant's, the oldest first."""
        ids: set[str] = await self._link.call(lambda: self._client.smembers(webhooks_of(tenant)))
        found = [await self._read(webhook_id) for webhook_id in ids]
        return sorted(
            (webhook for webhook in found if webhook is not None),
            key=lambda webhook: (webhook.created_ms, webhook.id),
        )

    async def find(self, webhook_id: str, tenant: str) -> Webhook:
        """
        Raises:
            NotFound: the tenant has no such webhook.
        """
        webhook = await self._read(webhook_id)
        if webhook is None or webhook.tenant != tenant:
            raise NotFound(
                f"There is no webhook {webhook_id[:64]!r}.",
                remedy="See the list: GET /v1/webhooks.",
            )
        return webhook

    async def rotate(self, webhook: Webhook, grace_s: float) -> Webhook:
        """A new secret in place of another, which signs beside it for `grace_s` more.

        Raises:
            NotFound: it was deleted meanwhile.
        """
        until_ms = time.time_ns() // 1_000_000 + round(1000 * grace_s)
        rotated = replace(
            webhook, secret=_new_secret(), old_secret=webhook.secret, old_until_ms=until_ms
        )
        fields = {name: rotated.encode()[name] for name in ("secret", "old_secret", "old_until_ms")}
        await self.find(webhook.id, webhook.tenant)  # not to bring a deleted one back
        await self._link.call(lambda: self._client.hset(webhook_key(webhook.id), mapping=fields))
        return rotated

    async def delete(self, webhook: Webhook) -> None:
        """Tell it no more; what is on its way to it is dropped."""

        async def forget() -> None:
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.delete(webhook_key(webhook.id))
                pipe.srem(webhooks_of(webhook.tenant), webhook.id)
                await pipe.execute()

        await self._link.call(forget)

    async def claim(self, most: int, lease_s: float) -> list[tuple[str, Delivery]]:
        """Deliveries that are due, with their ids; nobody else gets them for so long."""
        keys = (webhooks_due(), webhook_deliveries())
        answer: list[str] = await self._link.call(
            lambda: self._client.eval(_CLAIM, 2, *keys, str(most), str(round(1000 * lease_s)))
        )
        claimed = []
        for delivery_id, text in zip(answer[::2], answer[1::2], strict=True):
            try:
                claimed.append((delivery_id, Delivery.decode(text)))
            except BadInput as error:  # of another release
                logger.error("an event is not delivered: %s", error.message)
                await self.done(delivery_id)
        return claimed

    async def receiver(self, delivery: Delivery) -> Webhook | None:
        """Who wants to know of this; nobody where it was deleted, or wants other events."""
        webhook = await self._read(delivery.webhook)
        return webhook if webhook is not None and delivery.event in webhook.events else None

    async def done(self, delivery_id: str) -> None:
        """Forget a delivery."""

        async def forget() -> None:
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.zrem(webhooks_due(), delivery_id).hdel(webhook_deliveries(), delivery_id)
                await pipe.execute()

        await self._link.call(forget)

    async def again(self, delivery_id: str, delivery: Delivery, wait_s: float) -> None:
        """Let a delivery be due again after a wait."""
        due_ms = time.time_ns() // 1_000_000 + round(1000 * wait_s)

        async def put() -> None:
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.hset(webhook_deliveries(), delivery_id, delivery.encode())
                pipe.zadd(webhooks_due(), {delivery_id: due_ms})
                await pipe.execute()

        await self._link.call(put)

    async def give_up(self, delivery_id: str, delivery: Delivery, reason: str) -> None:
        """Keep a delivery among those that failed."""
        fields = {"delivery": delivery.encode(), "reason": reason}
        write = partial(
            self._client.xadd, webhook_failures(), fields, maxlen=_FAILURES_KEPT, approximate=True
        )
        await self._link.call(write)
        await self.done(delivery_id)

    async def note(self, webhook: Webhook, result: str) -> None:
        """Keep what came of the last call."""
        noted = replace(webhook, last_ms=time.time_ns() // 1_000_000, last_result=result)
        fields = {name: noted.encode()[name] for name in ("last_ms", "last_result")}
        if await self._read(webhook.id) is not None:  # not to bring a deleted one back
            await self._link.call(
                lambda: self._client.hset(webhook_key(webhook.id), mapping=fields)
            )

    @property
    def _client(self) -> Any:
        return self._link.client

    async def _read(self, webhook_id: str) -> Webhook | None:
        try:
            place = webhook_key(webhook_id)
            raw = await self._link.call(partial(self._client.hgetall, place))
            return Webhook.decode(raw) if raw else None
        except BadInput:  # no id, or what is left of a deleted one
            return None


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
