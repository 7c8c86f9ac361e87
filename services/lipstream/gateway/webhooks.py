"""`/v1/webhooks`: be called when a video or an avatar is done, instead of asking."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from lipstream.gateway.callers import WebhookCaller
from lipstream.gateway.pinned_post import check_url
from lipstream.gateway.platform import Shared
from lipstream.wire.webhook import EVENT_TYPES, Webhook

__all__ = ["router"]

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


class WebhookRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=2000, examples=["https://example.com/hooks/lipstream"])]
    events: Annotated[
        list[str], Field(max_length=20, description=f"Of {', '.join(EVENT_TYPES)}; all without.")
    ] = []


class RotationRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    grace_s: Annotated[
        float, Field(ge=0, le=30 * 86_400, description="How long the old secret signs too.")
    ] = 86_400.0


class WebhookDocument(BaseModel):
    """One webhook, and how its last call went."""

    id: str
    url: str
    events: list[str]
    created_ms: int
    secret: Annotated[
        str | None, Field(description="Signs its calls; told once, when it is made or rotated.")
    ] = None
    last_ms: Annotated[int | None, Field(description="When it was last called.")] = None
    last_result: Annotated[str | None, Field(description="ok, or what went wrong.")] = None


@router.post("", status_code=201, response_model=WebhookDocument)
async def create_webhook(
    wanted: WebhookRequest, response: Response, platform: Shared, caller: WebhookCaller
) -> WebhookDocument:
    """Ask to be called; calls are signed as Standard Webhooks says (docs/webhooks.md)."""
    await check_url(wanted.url, private=platform.settings.webhooks_private)
    webhook = await platform.webhooks.create(caller.tenant, wanted.url, wanted.events)
    response.headers["Location"] = f"/v1/webhooks/{webhook.id}"
    return _document(webhook, webhook.secret)


@router.get("", response_model=list[WebhookDocument])
async def list_webhooks(platform: Shared, caller: WebhookCaller) -> list[WebhookDocument]:
    """All of the caller's, the oldest first."""
    return [_document(webhook) for webhook in await platform.webhooks.of_tenant(caller.tenant)]


@router.get("/{webhook_id}", response_model=WebhookDocument)
async def get_webhook(webhook_id: str, platform: Shared, caller: WebhookCaller) -> WebhookDocument:
    """One, and how its last call went."""
    return _document(await platform.webhooks.find(webhook_id, caller.tenant))


@router.post("/{webhook_id}/rotate", response_model=WebhookDocument)
async def rotate_webhook(
    webhook_id: str, wanted: RotationRequest, platform: Shared, caller: WebhookCaller
) -> WebhookDocument:
    """A new secret. Calls are signed with it and the old one until the grace is over."""
    webhook = await platform.webhooks.find(webhook_id, caller.tenant)
    rotated = await platform.webhooks.rotate(webhook, wanted.grace_s)
    return _document(rotated, rotated.secret)


@router.post("/{webhook_id}/test", response_model=WebhookDocument)
async def try_webhook(webhook_id: str, platform: Shared, caller: WebhookCaller) -> WebhookDocument:
    """Call it once, now, with an event `webhook.test`; `last_result` says what came of that."""
    webhook = await platform.webhooks.find(webhook_id, caller.tenant)
    result = await platform.webhook_sender.test(webhook)
    return _document(replace(webhook, last_ms=time.time_ns() // 1_000_000, last_result=result))


@router.delete("/{webhook_id}", status_code=204)
async def delete_webhook(webhook_id: str, platform: Shared, caller: WebhookCaller) -> None:
    """Call it no more."""
    await platform.webhooks.delete(await platform.webhooks.find(webhook_id, caller.tenant))


def _document(webhook: Webhook, secret: str | None = None) -> WebhookDocument:
    return WebhookDocument(
        id=webhook.id,
        url=webhook.url,
        events=list(webhook.events),
        created_ms=webhook.created_ms,
        secret=secret,
        last_ms=webhook.last_ms or None,
        last_result=webhook.last_result or None,
    )
