"""Who calls, and what they may do: given to routes as `AvatarCaller`, `VideoCaller` and so on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from lipstream.gateway.platform import Shared
from lipstream.gateway.refusals import Forbidden, Unauthorized
from lipstream.gateway.signed_links import LinkSigner
from lipstream.runtime.api_keys import KeyStore, Scope
from lipstream.wire.tenants import DEFAULT_TENANT, avatar_of

__all__ = ["ANYBODY", "AvatarCaller", "Principal", "SessionCaller", "VideoCaller"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller. What belongs to another tenant is not there for them."""

    tenant: str
    scopes: frozenset[Scope]
    key_id: str | None = None
    """Of the API key; None where none is asked for."""
    signer: LinkSigner | None = None
    """Signs links for the caller, where keys are asked for."""

    def may(self, scope: str) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def avatar(self, name: str) -> str:
        """Full id of the caller's avatar of that name.

        Raises:
            BadInput: the name cannot name an avatar.
        """
        return avatar_of(self.tenant, name)

    def links(self, own: str, **others: str) -> dict[str, str]:
        """Links of a document: to itself, and to what a browser fetches without a key."""
        if self.signer is not None:
            sign = self.signer.signed
            others = {name: sign(path, self.tenant) for name, path in others.items()}
        return {"self": own, **others}


ANYBODY = Principal(DEFAULT_TENANT, frozenset({Scope.ADMIN}))
"""Every caller of a gateway that asks for no keys."""

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
        Forbidden: the key lacks a scope.
    """
    if platform.settings.auth == "off":
        return ANYBODY
    signer = await platform.signer()
    if "signature" in request.query_params and request.method in _READING:
        return _of_link(signer, request)
    caller = await _of_key(platform.keys, signer, given.credentials if given else "")
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


async def _of_key(keys: KeyStore, signer: LinkSigner, text: str) -> Principal:
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
    return Principal(key.tenant, key.scopes, key.id, signer)


AvatarCaller = Annotated[Principal, Security(_caller, scopes=[Scope.AVATARS.value])]
VideoCaller = Annotated[Principal, Security(_caller, scopes=[Scope.VIDEOS.value])]
SessionCaller = Annotated[Principal, Security(_caller, scopes=[Scope.SESSIONS.value])]
