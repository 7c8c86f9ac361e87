"""What tests of every kind share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

# Hundreds of processes start in a run, each of which would compile the same sources again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

from tests.portrait import AVATAR, CONSENT, hopper_photo  # noqa: E402


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
