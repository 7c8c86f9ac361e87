"""What tests of every kind share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# Hundreds of processes start in a run, each of which would compile the same sources again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# A worker for each core computes already; more threads would wait for each other, spinning.
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

from tests.portrait import AVATAR, CONSENT, hopper_photo  # noqa: E402

if TYPE_CHECKING:
    from tests.scheduling import StackScheduling


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> StackScheduling | None:
    if config.getoption("dist") != "loadfile":
        return None
    from tests.scheduling import StackScheduling

    return StackScheduling(config, log)


@pytest.fixture(scope="session")
def avatar_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An object store's folder that holds one finished avatar; whoever writes takes a copy."""
    from lipstream.avatar.create import create_avatar
    from lipstream.runtime.avatar_library import AvatarLibrary
    from lipstream.runtime.object_store import open_store

    folder = tmp_path_factory.mktemp("avatars")
    library = AvatarLibrary(open_store(str(folder)))
    create_avatar(library, AVATAR, hopper_photo().read_bytes(), CONSENT)
    return folder
