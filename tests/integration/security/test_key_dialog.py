"""The studio on a server that asks for keys, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.settings import Settings
from tests.integration.redis_process import RedisProcess
from tests.integration.security.conftest import Guarded
from tests.integration.sessions.chromium import chromium


@pytest.fixture
def key(guarded: Guarded) -> str:
    return guarded.key("acme")["Authorization"].removeprefix("Bearer ")


@pytest.fixture
def page(key: str, tmp_path: Path) -> Iterator[Any]:
    with chromium(tmp_path / "no microphone") as browser:
        page = browser.new_page()
        page.set_default_timeout(20_000)
        yield page


def test_a_key_is_asked_for_once_and_pictures_come(
    page: Any, key: str, guarded: Guarded, redis_server: RedisProcess, tmp_path: Path
) -> None:
    guarded.add_avatar("acme.grace")
    settings = Settings(
        data_dir=tmp_path, store=str(tmp_path / "objects"), redis=redis_server.url, auth="keys"
    )
    with LocalStack(settings, stages=()) as stack:
        page.goto(stack.url)
        page.wait_for_selector("#key-dialog[open]")
        page.fill("#key", "lsk_wrong")
        page.press("#key", "Enter")
        page.wait_for_selector("#key-notice:visible")
        assert "no such API key" in page.text_content("#key-notice")
        page.fill("#key", key)
        page.press("#key", "Enter")
        page.wait_for_selector("#avatars input[value=grace]")
        shown = "() => document.querySelector('#avatars img')?.naturalWidth > 0"
        page.wait_for_function(shown)
        page.reload()  # the key is kept for this tab
        page.wait_for_selector("#avatars input[value=grace]")
        page.click("a[href='#jobs']")
        page.wait_for_selector("#no-videos:visible")
        assert not page.is_visible("#key-dialog")
        assert page.evaluate("() => localStorage.getItem('lipstream.key')") is None
