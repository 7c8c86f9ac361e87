"""The lines of a batch, as callers write them: JSON Lines, CSV with a header, or a JSON array.

A line that cannot be read is one that failed, with its reason; the others go on.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from lipstream.errors import BadInput, TooLarge
from lipstream.gateway.documents import VideoRequest
from lipstream.gateway.refusals import UnsupportedMediaType

__all__ = ["MANIFEST_TYPES", "manifest_lines"]

_JSON_LINES = ("application/jsonl", "application/x-ndjson", "application/x-jsonlines")
MANIFEST_TYPES = (*_JSON_LINES, "text/csv", "application/json")
_NUMBERS = ("fps", "seed", "size", "deadline_s")


def manifest_lines(media_type: str, body: bytes, most: int) -> Iterator[VideoRequest | BadInput]:
    """Each line as a wish for a video, or why it is none.

    Args:
        most: lines.

    Raises:
        UnsupportedMediaType: a manifest is of none of these.
        BadInput: it is no text, holds no lines, or is one JSON document that is no array.
        TooLarge: there are too many lines.
    """
    if media_type not in MANIFEST_TYPES:
        raise UnsupportedMediaType(
            f"A manifest cannot be of content type {media_type[:60]!r}.",
            remedy=f"Send one of {', '.join(MANIFEST_TYPES)}.",
        )
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(
            "The manifest is not UTF-8.", remedy="Save it as UTF-8.", code="bad_manifest"
        ) from None
    lines = _rows(media_type, text)
    if not lines:
        raise BadInput(
            "The manifest has no lines.",
            remedy='Write a line such as {"avatar": "me", "text": "Hello."} for each video.',
            code="bad_manifest",
        )
    if len(lines) > most:
        raise TooLarge(
            f"The manifest has {len(lines)} lines; the limit is {most}.",
            remedy="Split it into several batches.",
        )
    return (_wish(line) for line in lines)


def _rows(media_type: str, text: str) -> list[Any]:
    """Lines as they are in JSON; what cannot be read is an error in its place."""
    if media_type == "text/csv":
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        try:
            return [_without_empty(row) for row in reader]
        except csv.Error as error:
            raise BadInput(
                f"The CSV cannot be read: {error}.",
                remedy="Write a header of field names, and a row for each video.",
                code="bad_manifest",
            ) from None
    if media_type == "application/json":
        rows = _json(text)
        if not isinstance(rows, list):
            raise BadInput(
                "A manifest in JSON is an array.",
                remedy='Write [{"avatar": "me", "text": "Hello."}], or send application/jsonl.',
                code="bad_manifest",
            )
        return rows
    return [_json(line) for line in text.splitlines() if line.strip()]


def _without_empty(row: dict[str | None, Any]) -> Any:
    """A row of CSV; empty cells are not there, and numbers are numbers."""
    if None in row:
        return BadInput("The line has more cells than the header.", code="bad_line")
    return {
        str(name).strip(): int(cell) if name in _NUMBERS and cell.isdecimal() else cell
        for name, cell in row.items()
        if cell
    }


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it nests too deeply"
        return BadInput(f"The line is no JSON: {reason}.", code="bad_line")


def _wish(line: Any) -> VideoRequest | BadInput:
    if isinstance(line, BadInput):
        return line
    if not isinstance(line, dict):
        return BadInput("The line is no object.", code="bad_line")
    try:
        wish = VideoRequest.model_validate({"priority": "batch"} | line)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc']))[:60]}: {e['msg'][:200]}" for e in error.errors()]
        return BadInput("; ".join(faults[:5]) + ".", remedy="See /docs.", code="bad_line")
    if wish.text is None:
        return BadInput(
            "The line has no text.",
            remedy="Recordings are sent by `lipstream batch`, or each to /v1/videos.",
            code="no_speech",
        )
    return wish
