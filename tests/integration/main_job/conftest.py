"""A local stack of all real services, with one avatar in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lipstream.avatar.create import create_avatar
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.object_store import open_store
from lipstream.runtime.settings import Settings
from tests.integration.main_job.platform import AVATAR, Platform, hopper_photo

_CONSENT = "Public domain: US Navy photo, bundled with matplotlib."


@pytest.fixture(scope="session")
def avatar_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds one finished avatar; stacks begin with a copy of it."""
    folder = tmp_path_factory.mktemp("avatars")
    library = AvatarLibrary(open_store(str(folder)))
    create_avatar(library, AVATAR, hopper_photo().read_bytes(), _CONSENT)
    return folder


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, avatar_store: Path) -> Iterator[Platform]:
    """A stack for all tests of a module."""
    yield from _running(tmp_path_factory.mktemp("stack"), avatar_store)


@pytest.fixture
def own_platform(tmp_path: Path, avatar_store: Path) -> Iterator[Platform]:
    """A stack for one test, which may break it."""
    yield from _running(tmp_path / "stack", avatar_store)


def _running(folder: Path, avatar_store: Path) -> Iterator[Platform]:
    import shutil

    shutil.copytree(avatar_store, folder / "objects", dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        # A killed worker's work is taken over soon, so that the test does not wait for it long.
        patch.setenv("LIPSTREAM_CLAIM_IDLE_S", "2")
        patch.setenv("LIPSTREAM_HEARTBEAT_S", "0.3")
        patch.setenv("LIPSTREAM_RETRY_BASE_S", "0.2")
        with LocalStack(Settings(data_dir=folder)) as stack, Platform(stack) as running:
            yield running
