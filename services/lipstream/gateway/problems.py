"""Errors as RFC 9457 problem documents, from the one error tree and nowhere else."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from lipstream.errors import BadInput, Internal, LipstreamError, Overloaded, Unavailable
from lipstream.gateway.refusals import RateLimited, Unauthorized
from lipstream.runtime.disk import disk_problem
from lipstream.wire.faults import fault_place, fault_words

__all__ = ["PROBLEM_MEDIA_TYPE", "install", "problem_response"]

PROBLEM_MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
_CLIENT_GONE = 499

# A document stays short, whatever a caller sends.
_FAULTS_NAMED = 8
_PLACE_CHARS = 60
_FAULT_CHARS = 200
_REMEDIES = {
    HTTPStatus.BAD_REQUEST: "Send what /docs shows.",
    HTTPStatus.NOT_FOUND: "See /docs for all there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "See /docs for the methods of this path.",
}
"""For what goes wrong before a route is found or its body read."""

logger = logging.getLogger(__name__)


def problem_response(error: LipstreamError, instance: str) -> JSONResponse:
    """The document for `error`, with `instance` the path of the request."""
    body: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": error.http_status,
        "detail": error.message,
        "instance": instance,
        "code": error.code,
    }
    if error.remedy:
        body["remedy"] = error.remedy
    if error.figures:
        body["figures"] = error.figures
    headers = {}
    if isinstance(error, Overloaded | Unavailable):
        wait_s = error.retry_after_s if isinstance(error, RateLimited) else RETRY_AFTER_S
        headers["Retry-After"] = str(wait_s)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        body, status_code=error.http_status, media_type=PROBLEM_MEDIA_TYPE, headers=headers
    )


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""

    @app.exception_handler(LipstreamError)
    async def _known(request: Request, error: LipstreamError) -> JSONResponse:
        return problem_response(error, request.url.path)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(_from_validation(error), request.url.path)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        body = {
            "type": "about:blank",
            "title": status.phrase,
            "status": error.status_code,
            "detail": str(error.detail),
            "instance": request.url.path,
            "code": status.name.lower(),
        }
        if status in _REMEDIES:
            body["remedy"] = _REMEDIES[status]
        return JSONResponse(
            body,
            status_code=error.status_code,
            media_type=PROBLEM_MEDIA_TYPE,
            headers=error.headers,
        )

    @app.exception_handler(ClientDisconnect)
    async def _gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=_CLIENT_GONE)  # seen by metrics only

    @app.exception_handler(OSError)
    async def _system(request: Request, error: OSError) -> JSONResponse:
        full = disk_problem(error)
        return problem_response(full, request.url.path) if full else await _unknown(request, error)

    @app.exception_handler(Exception)
    async def _unknown(request: Request, error: Exception) -> JSONResponse:
        logger.error("unhandled error", exc_info=error, extra={"path": request.url.path})
        return problem_response(
            Internal("The gateway failed on this request; the fault is logged."),
            request.url.path,
        )


def _from_validation(error: RequestValidationError) -> BadInput:
    """One sentence that names each field and what is wrong with it."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return BadInput(
            "The body is no JSON that can be read.", remedy="Send an object.", code="bad_json"
        )
    faults = []
    for fault in error.errors()[:_FAULTS_NAMED]:
        place = fault_place(fault["loc"])[:_PLACE_CHARS] or "body"
        faults.append(f"{place}: {fault_words(fault)[:_FAULT_CHARS]}")
    if (others := len(error.errors()) - len(faults)) > 0:
        faults.append(f"and {others} more")
    remedy = "See /docs for the fields and their ranges."
    if not fault_place(first["loc"]):
        remedy = f"Send one, with the header content-type: application/json. {remedy}"
    return BadInput("; ".join(faults) + ".", remedy=remedy)
