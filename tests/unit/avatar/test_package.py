"""A service that leaves fits to other processes holds nothing of what a fit does."""

from __future__ import annotations

import subprocess
import sys

_UNNEEDED = ("lipstream.avatar.fit", "lipstream.avatar.video.fit", "numba", "scipy")


def test_the_service_starts_without_what_a_fit_needs() -> None:
    program = f"""
import sys
import lipstream.avatar.service
print([name for name in {_UNNEEDED} if name in sys.modules])
"""
    run = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert run.stdout.strip() == "[]"
