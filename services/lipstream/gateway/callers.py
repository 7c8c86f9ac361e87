"""Who calls: given to routes as `AvatarCaller`, `VideoCaller` and so on, by the scope they need."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from fastapi.security.utils import get_authorization_scheme_param

from lipstream.gateway.platform import platform_of
from lipstream.gateway.principal import ANYBODY, Principal
from lipstream.gateway.rate_headers import ALLOWANCE
from lipstream.gateway.refusals import Forbidden, RateLimited, Unauthorized
from lipstream.gateway.signed_links import LinkSigner
from lipstream.runtime.api_keys import ApiKey, KeyStore, Scope

__all__ = ["AnyCaller", "AvatarCaller", "SessionCaller", "VideoCaller", "WebhookCaller"]

_READING = ("GET", "HEAD")


class _Caller(SecurityBase):
    """Who calls, if they may do what asks for `scope`.

    One dependency without others below it: FastAPI solves each anew for every request.
    """

    scheme_name = "HTTPBearer"
    model = HTTPBearer(description="An API key, where the server asks for one.")

    def __init__(self, scope: Scope | None = None) -> None:
        self._scope = scope

    async def __call__(self, request: Request) -> Principal:
        """
        Raises:
            Unauthorized: there is no key, or it is unknown or expired.
            RateLimited: it calls too often.
            Forbidden: the key lacks the scope.
        """
        platform = platform_of(request)
        if platform.settings.auth == "off":
            return ANYBODY
        signer = await platform.signer()
        if "signature" in request.query_params and request.method in _READING:
            return _of_link(signer, request)
        key = await _known(platform.keys, _bearer(request))
        rate = key.requests_per_s or platform.settings.key_requests_per_s
        allowance = request.scope[ALLOWANCE] = await platform.rates.take(key.id, rate)
        if not allowance.granted:
            raise RateLimited(allowance.next_s)
        sessions = key.sessions or platform.settings.key_sessions
        caller = Principal(key.tenant, key.scopes, key.id, sessions, signer)
        if self._scope is not None and not caller.may(self._scope.value):
            raise Forbidden(
                f"This key may not be used for {self._scope.value}.",
                remedy=f"Ask your operator for a key with the scope {self._scope.value}.",
                code="missing_scope",
            )
        return caller


def _bearer(request: Request) -> str:
    """The key in the header `Authorization`; empty where there is none."""
    kind, key = get_authorization_scheme_param(request.headers.get("authorization"))
    return key if kind.lower() == "bearer" else ""


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


def _allowed(scope: Scope | None = None) -> Any:
    return Security(_Caller(scope), scopes=[scope.value] if scope else [])


AnyCaller = Annotated[Principal, _allowed()]
"""Whatever their key is for."""
AvatarCaller = Annotated[Principal, _allowed(Scope.AVATARS)]
VideoCaller = Annotated[Principal, _allowed(Scope.VIDEOS)]
SessionCaller = Annotated[Principal, _allowed(Scope.SESSIONS)]
WebhookCaller = Annotated[Principal, _allowed(Scope.WEBHOOKS)]
