"""Links that open one thing for a while, for whoever has them: players, pictures in a page, people.

A browser shows no key when it fetches a picture or a video. So where keys are asked for, documents
hold links with a signature over the tenant, the moment when it ends, and the path.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.streams import link_secret

__all__ = ["LinkSigner", "shared_secret"]


class LinkSigner:
    """
    Args:
        secret: the same in every gateway.
        lasts_s: how long a link works, at least; up to a quarter longer.
    """

    def __init__(self, secret: str, lasts_s: float) -> None:
        self._secret = secret.encode()
        self._lasts_s = lasts_s

    def signed(self, path: str, tenant: str) -> str:
        """`path`, which may have a query, with a signature for reading it as that tenant."""
        # The same link for a while, so that caches are of use.
        step_s = max(1, round(self._lasts_s / 4))
        until = (int(time.time() + self._lasts_s) // step_s + 1) * step_s
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query)) | {"tenant": tenant, "until": str(until)}
        query["signature"] = self._signature(parts.path, query)
        return f"{parts.path}?{urlencode(query)}"

    def tenant(self, path: str, query: Mapping[str, str]) -> str | None:
        """Whom a signed link may be read as; None where it is not ours, or over."""
        given = query.get("signature", "")
        if not hmac.compare_digest(given.encode(), self._signature(path, query).encode()):
            return None
        return query["tenant"] if int(query["until"]) > time.time() else None

    def _signature(self, path: str, query: Mapping[str, str]) -> str:
        signed = sorted(item for item in query.items() if item[0] != "signature")
        message = f"{path}\n{urlencode(signed)}"
        return hmac.new(self._secret, message.encode(), hashlib.sha256).hexdigest()


async def shared_secret(link: RedisLink) -> str:
    """The secret that the gateways of one Redis share, made by the first."""
    key = link_secret()

    async def agreed() -> str:
        await link.client.set(key, secrets.token_urlsafe(32), nx=True)
        return str(await link.client.get(key))

    return await link.call(agreed)
