"""Where the tests find real recordings and pictures that are not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

__all__ = ["shared_data"]


def shared_data(*parts: str) -> Path:
    """A folder of the shared data; the calling test is skipped where there is none."""
    root = Path(os.environ.get("LIPSTREAM_SHARED", Path(__file__).parents[2] / "shared"))
    folder = root.joinpath("data", *parts)
    if not folder.exists():
        pytest.skip(f"{folder} is not there")
    return folder
