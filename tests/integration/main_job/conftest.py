"""A local stack of all real services, with one avatar in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.settings import Settings
from tests.integration.main_job.platform import Platform


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory, avatar_store: Path) -> Iterator[Platform]:
    """A stack for all tests of a worker."""
    yield from _running(tmp_path_factory.mktemp("stack"), avatar_store)


def _running(folder: Path, avatar_store: Path) -> Iterator[Platform]:
    shutil.copytree(avatar_store, folder / "objects", dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        # A killed worker's work is taken over soon, so that the test does not wait for it long.
        patch.setenv("LIPSTREAM_CLAIM_IDLE_S", "2")
        patch.setenv("LIPSTREAM_HEARTBEAT_S", "0.3")
        patch.setenv("LIPSTREAM_RETRY_BASE_S", "0.2")
        patch.setenv("LIPSTREAM_LIVE_CAPACITY", "8")
        patch.setenv("LIPSTREAM_MAX_AUDIO_S", "300")
        patch.setenv("LIPSTREAM_FITS", "here")  # processes of their own: tests/integration/fits
        with LocalStack(Settings(data_dir=folder)) as stack, Platform(stack) as running:
            yield running
