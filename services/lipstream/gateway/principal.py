"""Who calls, and what is theirs."""

from __future__ import annotations

from dataclasses import dataclass

from lipstream.gateway.signed_links import LinkSigner
from lipstream.runtime.api_keys import Scope
from lipstream.wire.tenants import DEFAULT_TENANT, avatar_of

__all__ = ["ANYBODY", "Principal"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller. What belongs to another tenant is not there for them."""

    tenant: str
    scopes: frozenset[Scope]
    key_id: str | None = None
    """Of the API key; None where none is asked for."""
    sessions: int = 0
    """Live ones that the key may have open."""
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
