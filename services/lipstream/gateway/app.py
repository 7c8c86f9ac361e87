"""The gateway's application, wired from settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

import lipstream
from lipstream.gateway import (
    avatars,
    batches,
    docs_page,
    health,
    problems,
    studio_page,
    videos,
    voices,
)
from lipstream.gateway import webhooks as webhook_routes
from lipstream.gateway.body_limit import BodyLimit
from lipstream.gateway.health import RequestMetrics
from lipstream.gateway.inspection import Inspector
from lipstream.gateway.platform import Platform
from lipstream.gateway.rate_headers import RateHeaders
from lipstream.gateway.sessions import routes as sessions
from lipstream.gateway.sessions.places import SessionPlaces
from lipstream.gateway.sessions.registry import SessionRegistry
from lipstream.gateway.sessions.session_log import SessionLog
from lipstream.gateway.sessions.stage_calls import Stages
from lipstream.gateway.webhook_sender import WebhookSender
from lipstream.runtime.api_keys import KeyStore
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.batches import BatchStore
from lipstream.runtime.garbage import keep_what_stands
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.object_store import open_store
from lipstream.runtime.rate_limit import RateLimiter
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.retention import Retention
from lipstream.runtime.settings import Settings
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.webhooks import WebhookStore

__all__ = ["create_app"]

_FORM_OVERHEAD_BYTES = 1_000_000
_WATCHERS = 400
"""Two files each: with these, the usual limit of 1024 open files is not met."""
_COMMANDS_AT_ONCE = 100


def create_app(settings: Settings) -> FastAPI:
    """The application. It connects when it starts, and closes what it opened when it ends."""
    telemetry = Telemetry("gateway")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        link = RedisLink(settings.redis, max_connections=_WATCHERS + _COMMANDS_AT_ONCE)
        store = open_store(settings.store_url)
        inspector = Inspector(settings)
        session_log = SessionLog(link)
        stages = Stages(settings, link, session_log)
        places = SessionPlaces(link)
        webhooks = WebhookStore(link)
        sender = WebhookSender(
            webhooks,
            telemetry,
            private=settings.webhooks_private,
            first_pause_s=settings.webhook_retry_base_s,
        )
        registry = SessionRegistry(
            link,
            stages,
            session_log,
            places,
            telemetry,
            most=settings.max_sessions,
            patience_s=settings.session_patience_s,
            token_life_s=settings.session_token_s,
        )
        app.state.platform = Platform(
            settings=settings,
            link=link,
            jobs=JobStore(
                link,
                ttl_s=settings.job_ttl_s,
                max_queued=settings.max_queued_jobs,
                max_open=settings.max_open_jobs,
                cap=settings.max_running_jobs,
            ),
            batches=BatchStore(link, ttl_s=2 * settings.job_ttl_s),
            keys=KeyStore(link),
            rates=RateLimiter(link),
            webhooks=webhooks,
            webhook_sender=sender,
            store=store,
            avatars=AvatarLibrary(store),
            inspector=inspector,
            telemetry=telemetry,
            sessions=registry,
            watchers=asyncio.Semaphore(_WATCHERS),
        )
        retention = Retention(link, store, ttl_s=settings.job_ttl_s, every_s=settings.sweep_s)
        sweeping = asyncio.create_task(retention.run())
        keep_what_stands()
        try:
            yield
        finally:
            sweeping.cancel()
            await sender.close()
            await registry.close()
            await places.close()
            await stages.close()
            await session_log.close()
            await inspector.close()
            await link.close()

    app = FastAPI(
        title="lipstream",
        version=lipstream.__version__,
        description="Speech in, a talking avatar out.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages load their scripts from foreign hosts
        redoc_url=None,
    )
    problems.install(app)
    app.add_middleware(BodyLimit, max_bytes=settings.max_upload_bytes + _FORM_OVERHEAD_BYTES)
    app.add_middleware(RateHeaders)
    app.add_middleware(RequestMetrics, telemetry=telemetry)
    # Routes are looked for in this order; those of videos are asked for most.
    for part in (
        videos,
        avatars,
        voices,
        batches,
        sessions,
        webhook_routes,
        health,
        docs_page,
        studio_page,
    ):
        app.include_router(part.router)
    return app
