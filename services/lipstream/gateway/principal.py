"""Who calls, and what they may do: given to routes as `AvatarCaller`, `VideoCaller` and so on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from lipstream.gateway.platform import Shared
from lipstream.gateway.refusals import Forbidden, Unauthorized
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

    def may(self, scope: str) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def avatar(self, name: str) -> str:
        """Full id of the caller's avatar of that name.

        Raises:
            BadInput: the name cannot name an avatar.
        """
        return avatar_of(self.tenant, name)


ANYBODY = Principal(DEFAULT_TENANT, frozenset({Scope.ADMIN}))
"""Every caller of a gateway that asks for no keys."""

_bearer = HTTPBearer(auto_error=False, description="An API key, where the server asks for one.")


async def _caller(
    needed: SecurityScopes,
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
    caller = await _of_key(platform.keys, given.credentials if given else "")
    for scope in needed.scopes:
        if not caller.may(scope):
            raise Forbidden(
                f"This key may not be used for {scope}.",
                remedy=f"Ask your operator for a key with the scope {scope}.",
                code="missing_scope",
            )
    return caller


async def _of_key(keys: KeyStore, text: str) -> Principal:
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
    return Principal(key.tenant, key.scopes, key.id)


AvatarCaller = Annotated[Principal, Security(_caller, scopes=[Scope.AVATARS.value])]
VideoCaller = Annotated[Principal, Security(_caller, scopes=[Scope.VIDEOS.value])]
SessionCaller = Annotated[Principal, Security(_caller, scopes=[Scope.SESSIONS.value])]
