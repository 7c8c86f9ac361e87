"""Tokens that open a session's socket, each for a while.

A token says until when it is good, and is signed with the session's secret. So whichever gateway
knows the session can check one and make another.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time

from lipstream.gateway.refusals import Forbidden

__all__ = ["check_token", "new_secret", "new_token"]


def new_secret() -> str:
    """Of one session."""
    return secrets.token_urlsafe(32)


def new_token(secret: str, life_s: float) -> str:
    """
    Args:
        life_s: how long it is good from now on.
    """
    until = f"{round(time.time() + life_s):x}"
    return f"{until}.{_signature(secret, until)}"


def check_token(token: str, secret: str) -> None:
    """
    Raises:
        Forbidden: it is not the session's (`bad_token`), or no longer good (`expired_token`).
    """
    until, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(secret, until).encode()):
        raise Forbidden(
            "The token does not open this session.",
            remedy="Use the session_token that POST /v1/sessions gave.",
            code="bad_token",
        )
    if time.time() >= int(until, 16):
        raise Forbidden(
            "The session's token has expired.",
            remedy="Get another with POST /v1/sessions/{id}/token; the session goes on.",
            code="expired_token",
        )


def _signature(secret: str, until: str) -> str:
    return hmac.new(secret.encode(), until.encode(), hashlib.sha256).hexdigest()
