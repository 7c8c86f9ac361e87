"""A POST to an address that a stranger named, which reaches nothing but the public internet.

The name is resolved once, every address is looked at, and the call goes to the one that was looked
at: a name that changes its mind in between gains nothing. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping

import httpx

from lipstream.errors import BadInput, Unavailable

__all__ = ["check_url", "pinned_post"]

_TIMEOUT_S = 10.0
_LONGEST_URL = 2000


async def check_url(url: str, *, private: bool) -> tuple[httpx.URL, str]:
    """The URL, and the address that it stands for.

    Args:
        private: whether addresses that are not public and plain HTTP are allowed.

    Raises:
        BadInput: it may not be called.
        Unavailable: its name cannot be resolved now.
    """
    try:
        target = httpx.URL(url) if len(url) <= _LONGEST_URL else httpx.URL()
    except (httpx.InvalidURL, ValueError):
        target = httpx.URL()
    schemes = ("https", "http") if private else ("https",)
    if target.scheme not in schemes or not target.host or target.userinfo:
        raise BadInput(
            "The URL cannot be a webhook's.",
            remedy=f"Use {' or '.join(schemes)}://host/path, without user and password.",
            code="bad_webhook_url",
        )
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            target.host, port, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError) as error:
        raise Unavailable(
            f"There is no address of {target.host[:200]!r}.", code="unknown_host"
        ) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not private and not all(_is_public(address) for address in addresses):
        raise BadInput(
            f"{target.host[:200]!r} is not on the public internet.",
            remedy="Use a public address, or have your operator set LIPSTREAM_WEBHOOKS_PRIVATE.",
            code="private_webhook_url",
        )
    return target, addresses[0]


async def pinned_post(url: str, body: bytes, headers: Mapping[str, str], *, private: bool) -> int:
    """The status of the answer, whose body is not read.

    Raises:
        BadInput: the URL may not be called.
        Unavailable: nothing answers there in time.
    """
    target, address = await check_url(url, private=private)
    host = target.netloc.decode("ascii")
    pinned = target.copy_with(host=address)
    try:
        async with (
            asyncio.timeout(_TIMEOUT_S),
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=_TIMEOUT_S) as http,
            http.stream(
                "POST",
                pinned,
                content=body,
                headers={**headers, "Host": host},
                extensions={"sni_hostname": target.raw_host.decode("ascii")},
            ) as answer,
        ):
            return answer.status_code
    except (httpx.HTTPError, TimeoutError, OSError) as error:
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        raise Unavailable(f"No answer: {reason}", code="webhook_unreachable") from error


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            address = inner
        elif address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        elif address not in _ALLOCATED:  # what was never given out, or was taken back
            return False
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_ALLOCATED = ipaddress.ip_network("2000::/3")
