"""Prometheus' own checker, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["promtool"]

_ROOT = Path(__file__).resolve().parents[2]


def promtool(*arguments: object, given: bytes | None = None) -> None:
    """Fails with what it says if it finds something wrong.

    Args:
        given: what it reads from its standard input.
    """
    if not (tool := shutil.which("promtool")):
        pytest.skip("needs promtool: make ops-tools")
    done = subprocess.run(
        [tool, *map(str, arguments)], input=given, capture_output=True, cwd=_ROOT, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
