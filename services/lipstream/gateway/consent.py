"""No avatar without a record of who allows the face to be used: asked for, and looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipstream.errors import BadInput
from lipstream.gateway.refusals import Forbidden
from lipstream.runtime.settings import Settings

__all__ = ["check_recorded", "given_consent"]

_SHORTEST = 3


def given_consent(settings: Settings, statement: str, by: str) -> dict[str, str]:
    """Parameters of the job that makes an avatar.

    Args:
        statement: who allows the face to be used, and how.
        by: who says so.

    Raises:
        BadInput: something is missing that the settings ask for.
    """
    statement, by = statement.strip(), by.strip()
    if settings.consent != "off" and len(statement) < _SHORTEST:
        raise BadInput(
            "An avatar needs a statement of consent.",
            remedy="Say in 'consent' who allows this face to be used, and how.",
            code="no_consent",
        )
    if settings.consent == "named" and not by:
        raise BadInput(
            "This server wants to know who gives the consent.",
            remedy="Name the person in 'consent_by', beside the statement in 'consent'.",
            code="no_consent",
        )
    return {"consent": statement} | ({"consent_by": by} if by else {})


def check_recorded(settings: Settings, name: str, manifest: Mapping[str, Any]) -> None:
    """
    Args:
        manifest: of the avatar's bundle.

    Raises:
        Forbidden: it holds no statement of consent, and the settings ask for one.
    """
    consent = manifest.get("consent")
    statement = consent.get("statement") if isinstance(consent, dict) else None
    if settings.consent != "off" and not statement:
        raise Forbidden(
            f"The avatar {name!r} has no record of consent, so it may not be used.",
            remedy="Make it again with 'consent', or have your operator set LIPSTREAM_CONSENT=off.",
            code="no_consent",
        )
