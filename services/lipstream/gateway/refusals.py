"""Refusals that only HTTP knows, beside those of the one error tree."""

from __future__ import annotations

from lipstream.errors import BadInput, Overloaded

__all__ = [
    "Forbidden",
    "RangeBehindEnd",
    "RateLimited",
    "TooSlow",
    "Unauthorized",
    "UnsupportedMediaType",
]


class UnsupportedMediaType(BadInput):
    code = "unsupported_media_type"
    title = "The content type is not accepted"
    http_status = 415


class Unauthorized(BadInput):
    """The caller says not, or not credibly, who they are."""

    code = "unauthorized"
    title = "An API key is needed"
    http_status = 401


class Forbidden(BadInput):
    code = "forbidden"
    title = "This is not allowed"
    http_status = 403


class RangeBehindEnd(BadInput):
    """The caller asks for bytes of a file that it does not have."""

    code = "range_behind_end"
    title = "The range is not in the file"
    http_status = 416


class TooSlow(BadInput):
    """The caller holds a request open without sending it."""

    code = "too_slow"
    title = "The request took too long to arrive"
    http_status = 408


class RateLimited(Overloaded):
    """The caller calls too often.

    Args:
        retry_after_s: when the next call is granted.
    """

    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "This key calls more often than it may.",
            remedy="Wait as long as Retry-After says, and watch events instead of asking again.",
        )
        self.retry_after_s = retry_after_s
