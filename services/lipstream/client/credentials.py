"""The API key that a client shows."""

from __future__ import annotations

import os

__all__ = ["key_headers"]


def key_headers(api_key: str | None) -> dict[str, str]:
    """Headers of a request: with this key, or that of LIPSTREAM_API_KEY, or none."""
    key = api_key or os.environ.get("LIPSTREAM_API_KEY", "")
    return {"Authorization": f"Bearer {key}"} if key else {}
