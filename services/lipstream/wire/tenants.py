"""Tenants, and the names of what is theirs.

Two tenants may each have an avatar `grace`. In the object store, in jobs and between the stages an
avatar goes by its full id, `acme.grace`; the default tenant's has no prefix, so that one machine
without tenants looks as it always did. Callers only ever say and see the name.
"""

from __future__ import annotations

import re

from lipstream.errors import BadInput
from lipstream.wire.objects import checked_avatar_id
from lipstream.wire.streams import DEFAULT_TENANT

__all__ = ["DEFAULT_TENANT", "avatar_name", "avatar_of", "checked_tenant", "tenant_of"]

_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")


def checked_tenant(value: str) -> str:
    """`value`, if it can name a tenant.

    Raises:
        BadInput: it is empty, over 24 characters, or holds other than a-z, 0-9 and `-`.
    """
    if not _TENANT.fullmatch(value):
        raise BadInput(
            f"{value[:80]!r} cannot name a tenant.",
            remedy="Use 1 to 24 of a-z, 0-9 and '-', starting with a letter or a digit.",
            code="bad_tenant",
        )
    return value


def avatar_of(tenant: str, name: str) -> str:
    """Full id of a tenant's avatar.

    Raises:
        BadInput: the name cannot name an avatar; a full id is none.
    """
    checked_avatar_id(name)
    return name if tenant == DEFAULT_TENANT else f"{tenant}.{name}"


def avatar_name(avatar_id: str) -> str:
    """What the avatar's tenant calls it."""
    return avatar_id.rpartition(".")[2]


def tenant_of(avatar_id: str) -> str:
    """Whose avatar it is."""
    return avatar_id.rpartition(".")[0] or DEFAULT_TENANT
