"""Refusals that only HTTP knows, beside those of the one error tree."""

from __future__ import annotations

from lipstream.errors import BadInput

__all__ = ["Forbidden", "TooSlow", "Unauthorized", "UnsupportedMediaType"]


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


class TooSlow(BadInput):
    """The caller holds a request open without sending it."""

    code = "too_slow"
    title = "The request took too long to arrive"
    http_status = 408
