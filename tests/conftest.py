"""What tests of every kind share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.portrait import AVATAR, CONSENT, hopper_photo


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
