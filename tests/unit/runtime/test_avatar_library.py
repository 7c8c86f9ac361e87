"""One damaged or foreign avatar must not stand in the way of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from lipstream.errors import BadInput, NotFound
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import ObjectStore, open_store


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    store = open_store("memory://")
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(b"bundle")
    AvatarLibrary(store).add("good", bundle, b'{"created": "now"}', b"picture")
    return store


@pytest.mark.parametrize(
    "manifest", [b"", b"{nope", b"[1]", b"\xff\xfe\0", b"[" * 100_000, b" " * 5_000_000]
)
def test_a_damaged_avatar_is_named_and_can_be_removed(store: ObjectStore, manifest: bytes) -> None:
    library = AvatarLibrary(store)
    store.put("avatars/bad/manifest.json", manifest)
    store.put("avatars/bad/bundle.zip", b"x")
    assert [entry.id for entry in library.entries()] == ["good"]
    with pytest.raises(BadInput, match=r"'bad' is damaged.*create it again") as caught:
        library.entry("bad")
    assert caught.value.code == "damaged_avatar"
    library.remove("bad")
    assert [info.key for info in store.list("avatars/bad")] == []
    with pytest.raises(NotFound):
        library.remove("bad")


def test_other_things_in_the_folder_are_passed_over(store: ObjectStore) -> None:
    store.put("avatars/UPPER/manifest.json", b"{}")
    store.put("avatars/readme.txt", b"")
    assert [entry.id for entry in AvatarLibrary(store).entries()] == ["good"]


def test_a_sheet_goes_with_its_avatar(store: ObjectStore, tmp_path: Path) -> None:
    library = AvatarLibrary(store)
    with pytest.raises(NotFound, match="no preview sheet"):
        library.sheet("good")
    with pytest.raises(NotFound, match="no avatar"):
        library.sheet("nobody")
    bundle = tmp_path / "bundle.zip"
    library.add("good", bundle, b"{}", b"picture", b"sheet")
    assert library.sheet("good") == b"sheet"
    library.add("good", bundle, b"{}", b"another picture")
    with pytest.raises(NotFound, match="no preview sheet"):
        library.sheet("good")
