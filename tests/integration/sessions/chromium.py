"""A Chromium of this machine, driven by Playwright, with a microphone that plays a file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

__all__ = ["chromium"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium(microphone: Path) -> Iterator[Any]:
    """A browser of Playwright's; the calling test is skipped where there is none.

    Args:
        microphone: a WAV file that it hears over and over; its camera shows a drawing.
    """
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed; `make browser` does it"
    )
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    if executable is None:
        pytest.skip("there is no Chromium; `make browser` installs it")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=executable,
            args=[
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}",
            ],
        )
        yield browser
        browser.close()
