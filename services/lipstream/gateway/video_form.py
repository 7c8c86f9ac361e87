"""The body of `POST /v1/videos`, JSON or a form, read under limits."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from lipstream.errors import BadInput, TooLarge
from lipstream.gateway.documents import VideoRequest
from lipstream.gateway.refusals import UnsupportedMediaType
from lipstream.wire.output import UPLOAD

__all__ = ["VideoForm", "video_form"]

_JSON_BYTES_A_CHARACTER = 12
"""An emoji that is written as two escapes."""
_JSON_OVERHEAD_BYTES = 64_000
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


@dataclass(frozen=True, slots=True)
class VideoForm:
    """A wanted video and the files that came with it."""

    wanted: VideoRequest
    audio: UploadFile | None = None
    background: UploadFile | None = None


@asynccontextmanager
async def video_form(request: Request, max_text_chars: int) -> AsyncIterator[VideoForm]:
    """The wanted video; its files are closed at the end.

    Raises:
        RequestValidationError: a field is missing, unknown or out of range.
        BadInput: it is neither JSON nor a form, a field came twice, or there is neither audio nor
            text, or both.
        TooLarge: JSON that is longer than the longest text can be.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        limit = max_text_chars * _JSON_BYTES_A_CHARACTER + _JSON_OVERHEAD_BYTES
        yield _checked(await _json(request, limit), None, None)
    elif kind in _FORMS:
        async with request.form(max_files=2, max_fields=32) as form:
            fields: dict[str, Any] = dict(form)
            if any(name.lstrip().startswith("{") for name in fields):
                # What `curl -d '{...}'` does without a header.
                raise UnsupportedMediaType(
                    "The body looks like JSON, but was sent as a form.",
                    remedy="Send it with the header content-type: application/json.",
                )
            if len(fields) < len(form.multi_items()):
                raise BadInput("A field was sent more than once.", remedy="Send each once.")
            audio = fields.pop("audio", None)
            background = fields.get("background")
            if isinstance(background, UploadFile):
                fields["background"] = UPLOAD
            else:
                background = None
            if audio is not None and not isinstance(audio, UploadFile):
                raise BadInput("'audio' must be a file.", remedy="Send it as a file of the form.")
            yield _checked(fields, audio, background)
    else:
        raise UnsupportedMediaType(
            f"A video cannot be asked for with content type {kind[:60]!r}.",
            remedy="Send application/json, or multipart/form-data with an audio file.",
        )


async def _json(request: Request, max_bytes: int) -> Any:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge(
                f"The JSON is over the limit of {max_bytes:,} bytes.",
                remedy="Split the text into several videos.",
            )
    try:
        return json.loads(bytes(body))
    except (ValueError, RecursionError):
        raise BadInput(
            "The body is no JSON that can be read.",
            remedy='Send an object such as {"avatar": "me", "text": "Hello there."}.',
            code="bad_json",
        ) from None


def _checked(fields: Any, audio: UploadFile | None, background: UploadFile | None) -> VideoForm:
    try:
        wanted = VideoRequest.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    if (audio is None) == (wanted.text is None):
        raise BadInput(
            "A video needs either 'audio' or 'text'.", remedy="Send one of them.", code="no_speech"
        )
    if (background is None) == (wanted.background == UPLOAD):
        raise BadInput(
            "There is no file in 'background'.",
            remedy="Send it as a file of a form.",
            code="bad_background",
        )
    return VideoForm(wanted, audio, background)
