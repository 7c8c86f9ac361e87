"""What the routes share: settings, jobs, objects, avatars, metrics, and the stages' checks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from lipstream.gateway.inspection import Inspector
from lipstream.gateway.sessions.registry import SessionRegistry
from lipstream.gateway.signed_links import LinkSigner, shared_secret
from lipstream.gateway.webhook_sender import WebhookSender
from lipstream.runtime.api_keys import KeyStore
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.batches import BatchStore
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.object_store import ObjectStore
from lipstream.runtime.rate_limit import RateLimiter
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.webhooks import WebhookStore

__all__ = ["Platform", "Shared", "platform_of"]


@dataclass(slots=True)
class Platform:
    settings: Settings
    link: RedisLink
    jobs: JobStore
    batches: BatchStore
    keys: KeyStore
    rates: RateLimiter
    webhooks: WebhookStore
    webhook_sender: WebhookSender
    store: ObjectStore
    avatars: AvatarLibrary
    inspector: Inspector
    telemetry: Telemetry
    sessions: SessionRegistry
    watchers: asyncio.Semaphore
    """Event streams at once; each holds a connection to Redis and one to its caller."""
    _signer: LinkSigner | None = None

    async def signer(self) -> LinkSigner:
        """Signs links as every gateway on this Redis does.

        Raises:
            Unavailable: the secret lies in Redis, which does not answer.
        """
        if self._signer is None:
            settings = self.settings
            secret = settings.link_secret.get_secret_value() or await shared_secret(self.link)
            self._signer = LinkSigner(secret, settings.link_lasts_s)
        return self._signer


def platform_of(request: Request) -> Platform:
    return cast(Platform, request.app.state.platform)


async def _shared(request: Request) -> Platform:  # one that is not async would run in a thread
    return platform_of(request)


Shared = Annotated[Platform, Depends(_shared)]
"""A route's parameter of this type is given the platform."""
