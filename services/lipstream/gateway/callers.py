"""Who calls: given to routes as `AvatarCaller`, `VideoCaller` and so on, by the scope they need."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from lipstream.gateway.platform import Shared
from lipstream.gateway.principal import ANYBODY, Principal
from lipstream.gateway.rate_headers import ALLOWANCE
from lipstream.gateway.refusals import Forbidden, RateLimited, Unauthorized
from lipstream.gateway.signed_links import LinkSigner
from lipstream.runtime.api_keys import ApiKey, KeyStore, Scope

__all__ = ["AnyCaller", "AvatarCaller", "SessionCaller", "VideoCaller", "WebhookCaller"]

_READING = ("GET", "HEAD")
_bearer = HTTPBearer(auto_error=False, description="An API key, where the server asks for one.")


async def _caller(
    needed: SecurityScopes,
    request: Request,
    platform: Shared,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """
    Raises:
        Unauthorized: there is no key, or it is unknown or expired.
        RateLimited: it calls too often.
        Forbidden: the key lacks a scope.
    """
    if platform.settings.auth == "off":
        return ANYBODY
    signer = await platform.signer()
    if "signature" in request.query_params and request.method in _READING:
        return _of_link(signer, request)
    key = await _known(platform.keys, given.credentials if given else "")
    rate = key.requests_per_s or platform.settings.key_requests_per_s
    allowance = request.scope[ALLOWANCE] = await platform.rates.take(key.id, rate)
    if not allowance.granted:
        raise RateLimited(allowance.next_s)
    sessions = key.sessions or platform.settings.key_sessions
    caller = Principal(key.tenant, key.scopes, key.id, sessions, signer)
    for scope in needed.scopes:
        if not caller.may(scope):
            raise Forbidden(
                f"This key may not be used for {scope}.",
                remedy=f"Ask your operator for a key with the scope {scope}.",
                code="missing_scope",
            )
    return caller


def _of_link(signer: LinkSigner, request: Request) -> Principal:
    path = request.scope["path"].removeprefix(request.scope.get("root_path", "").rstrip("/"))
    tenant = signer.tenant(path, request.query_params)
    if tenant is None:
        raise Unauthorized(
            "This link is over, or not complete.", remedy="Ask for a new one.", code="bad_link"
        )
    return Principal(tenant, frozenset(), signer=signer)


async def _known(keys: KeyStore, text: str) -> ApiKey:
    if not text:
        raise Unauthorized(
            "This server asks for an API key.",
            remedy="Send it in the header Authorization: Bearer lsk_...",
            code="no_key",
        )
    key = await keys.find(text)
    if key is None:
        raise Unauthorized(
            "There is no such API key; it may have been revoked.",
            remedy="Ask your operator for another one.",
            code="bad_key",
        )
    if key.expired:
        raise Unauthorized(
            "This API key has expired.",
            remedy="Use the one that took its place, or ask your operator.",
            code="expired_key",
        )
    return key


AnyCaller = Annotated[Principal, Security(_caller)]
"""Whatever their key is for."""
AvatarCaller = Annotated[Principal, Security(_caller, scopes=[Scope.AVATARS.value])]
VideoCaller = Annotated[Principal, Security(_caller, scopes=[Scope.VIDEOS.value])]
SessionCaller = Annotated[Principal, Security(_caller, scopes=[Scope.SESSIONS.value])]
WebhookCaller = Annotated[Principal, Security(_caller, scopes=[Scope.WEBHOOKS.value])]
