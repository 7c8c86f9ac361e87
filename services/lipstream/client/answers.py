"""What a server's refusal means to its caller."""

from __future__ import annotations

import json

import httpx

from lipstream.errors import BadInput

__all__ = ["check_answer", "refused"]


def check_answer(answer: httpx.Response) -> None:
    """
    Raises:
        BadInput: the server refused.
    """
    if not answer.is_success:
        raise refused(answer.status_code, answer.read())


def refused(status: int, body: bytes) -> BadInput:
    """The problem document of a refusal as an error: its own words, code and remedy."""
    try:
        problem = json.loads(body)
    except ValueError:
        problem = {}
    return BadInput(
        problem.get("detail") or f"The server answered {status}.",
        remedy=problem.get("remedy", ""),
        code=problem.get("code", f"http_{status}"),
    )
