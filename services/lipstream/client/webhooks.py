"""Whether a webhook's call is ours, and fresh: for those who receive them."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from lipstream.errors import BadInput
from lipstream.wire.webhook import signature

__all__ = ["verified_event"]


def verified_event(
    secret: str, headers: Mapping[str, str], body: bytes, *, tolerance_s: float = 300.0
) -> dict[str, Any]:
    """The event in a call of a webhook.

    A call is made again until it is answered with 2xx, so the same event may come twice, with the
    same `webhook-id`.

    Args:
        secret: of the webhook, `whsec_...`.
        headers: of the request, with names in any case.
        body: of the request, byte for byte.
        tolerance_s: how old a call may be: one that was recorded and is played again is refused.

    Raises:
        BadInput: it is not signed with the secret, or too old.
    """
    named = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, stamp = named["webhook-id"], named["webhook-timestamp"]
        given = named["webhook-signature"].split()
        sent_s = int(stamp)
    except (KeyError, ValueError):
        raise BadInput("The call has not the headers of a webhook.", code="bad_webhook") from None
    wanted = signature(secret, message_id, sent_s, body).encode()
    if not any(hmac.compare_digest(wanted, one.encode()) for one in given):
        raise BadInput("The call is not signed with this secret.", code="bad_webhook")
    if abs(time.time() - sent_s) > tolerance_s:
        raise BadInput("The call is too old, or from the future.", code="stale_webhook")
    event: dict[str, Any] = json.loads(body)
    return event
