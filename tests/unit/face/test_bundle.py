from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipstream.errors import BadInput, LipstreamError, NotFound, TooLarge, Unavailable
from lipstream.face import bundle
from lipstream.face.bundle import AvatarBundle, Consent, Note, Source
from lipstream.face.bundle.archive import MEMBER_LIMITS
from lipstream.face.model import AvatarModel
from tests.unit.face.tiny_model import tiny_model

MOMENT = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)


def sample(**changes: Any) -> AvatarBundle:
    options: dict[str, Any] = {
        "consent": Consent("I agree.", "Grace", "2024-05-01"),
        "quality": {"face_psnr_db": 35.5},
        "warnings": [Note("blurred", "The face is soft.")],
        "created": MOMENT,
        **changes,
    }
    model = options.pop("model", None) or tiny_model()
    preview = np.full((16, 16, 3), 128, np.uint8)
    return bundle.new_bundle(
        "grace", model, preview, Source("photo", "ab" * 32, 640, 480), **options
    )


def packed(made: AvatarBundle | None = None) -> bytes:
    stream = io.BytesIO()
    bundle.save(made or sample(), stream)
    return stream.getvalue()


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(contents: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return stream.getvalue()


def refusal(data: bytes) -> LipstreamError:
    with pytest.raises(BadInput) as caught:
        bundle.load(data)
    assert len(str(caught.value)) < 300
    return caught.value


def arrays_of(model: AvatarModel) -> list[np.ndarray[Any, np.dtype[Any]]]:
    found: list[np.ndarray[Any, np.dtype[Any]]] = []

    def walk(value: Any) -> None:
        if isinstance(value, np.ndarray):
            found.append(value)
        elif dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                walk(getattr(value, field.name))

    walk(model)
    return found


def test_round_trip_keeps_everything(tmp_path: Path) -> None:
    made = sample()
    path = tmp_path / "avatars" / "grace.zip"
    written = bundle.save(made, path)
    back = bundle.load(path)
    for old, new in zip(arrays_of(made.model), arrays_of(back.model), strict=True):
        assert old.dtype == new.dtype
        np.testing.assert_array_equal(old, new)
    assert back.model.surface.shapes.names == made.model.surface.shapes.names
    assert back.model.part_names == made.model.part_names
    assert (back.model.focal, back.model.cull_cosine) == (3.0, -0.2)
    np.testing.assert_array_equal(back.preview, made.preview)
    assert back.manifest == written == bundle.read_manifest(path)
    assert back.manifest.consent == Consent("I agree.", "Grace", "2024-05-01")
    assert back.manifest.created == "2024-05-01T12:30:00+00:00"
    assert bundle.read_preview(path).startswith(b"\x89PNG")
    assert [p.name for p in path.parent.iterdir()] == ["grace.zip"], "no temporary file stays"


def test_what_of_the_plate_is_the_person_is_kept() -> None:
    model = sample().model
    torso = np.arange(32 * 32).reshape(32, 32).astype(np.uint8)
    made = dataclasses.replace(sample(), model=dataclasses.replace(model, torso=torso))
    back = bundle.load(packed(made)).model
    assert back.torso is not None
    np.testing.assert_array_equal(back.torso, torso)
    np.testing.assert_array_equal(back.plate, model.plate)
    assert bundle.load(packed(sample())).model.torso is None


def test_a_sheet_is_kept_and_need_be_neither_square_nor_there() -> None:
    sheet = np.random.default_rng(0).integers(0, 255, (12, 20, 3), dtype=np.uint8)
    data = packed(sample(sheet=sheet))
    back = bundle.load(data)
    assert back.sheet is not None
    np.testing.assert_array_equal(back.sheet, sheet)
    assert packed(back) == data
    assert bundle.load(packed()).sheet is None
    contents = members(data)
    contents["sheet.png"] = contents["preview.png"]
    assert refusal(repacked(contents)).code == "damaged_bundle"


def test_warnings_of_earlier_versions_have_no_remedy() -> None:
    contents = members(packed())
    document = json.loads(contents["manifest.json"])
    del document["warnings"][0]["remedy"]
    contents["manifest.json"] = json.dumps(document).encode()
    assert bundle.load(repacked(contents)).manifest.warnings == (
        Note("blurred", "The face is soft."),
    )


def test_reads_streams_and_bytes_and_bundles_without_consent() -> None:
    data = packed(sample(consent=None))
    assert bundle.load(io.BytesIO(data)).manifest.consent is None
    assert bundle.load(data).manifest.name == "grace"


def test_equal_input_gives_equal_bytes() -> None:
    assert packed() == packed()


def test_standard_tools_read_it() -> None:
    contents = members(packed())
    assert set(contents) == {"manifest.json", "model.npz", "plate.png", "preview.png"}
    with np.load(io.BytesIO(contents["model.npz"]), allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["vertices"], tiny_model().surface.vertices)
    assert json.loads(contents["manifest.json"])["format"] == "lipstream-avatar"


def test_a_name_that_is_no_slug_is_refused() -> None:
    with pytest.raises(BadInput):
        bundle.new_bundle(
            "../x", tiny_model(), np.zeros((4, 4, 3), np.uint8), Source("photo", "", 1, 1)
        )


def test_missing_file_and_unwritable_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        bundle.load(tmp_path / "none.zip")
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unavailable):
        bundle.save(sample(), tmp_path / "file" / "grace.zip")
    with pytest.raises(BadInput):
        bundle.load(tmp_path)


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04 broken", packed()[:-30], bytes(5000)])
def test_no_zip(data: bytes) -> None:
    assert refusal(data).code in ("not_a_bundle", "damaged_bundle")


def test_a_zip_that_is_no_bundle() -> None:
    assert refusal(repacked({})).code == "not_a_bundle"
    manifest = json.dumps({"format": "other", "version": 1}).encode()
    assert refusal(repacked({"manifest.json": manifest})).code == "not_a_bundle"


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "a/../../b", "model.npz/", "C:\\x", "extra.txt", "x" * 5000]
)
def test_names_that_do_not_belong_are_refused(name: str) -> None:
    error = refusal(repacked({**members(packed()), name: b"x"}))
    assert error.code == "damaged_bundle"


def test_names_given_twice_are_refused() -> None:
    stream = io.BytesIO(packed())
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("plate.png", b"x")
    assert refusal(stream.getvalue()).code == "damaged_bundle"


def test_a_zip_bomb_is_refused_by_its_directory() -> None:
    bomb = bytes(MEMBER_LIMITS["model.npz"] + 1)
    contents = {**members(packed()), "model.npz": bomb}
    data = repacked(contents, zipfile.ZIP_DEFLATED)
    assert len(data) < 2**20
    assert isinstance(refusal(data), TooLarge)


def test_a_zip_bomb_that_lies_about_its_size_is_refused() -> None:
    contents = {**members(packed()), "plate.png": bytes(MEMBER_LIMITS["plate.png"] + 10)}
    data = bytearray(repacked(contents, zipfile.ZIP_DEFLATED))
    # The size in the central directory's entry, 24 bytes into it.
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"plate.png")) + 24
    data[at : at + 4] = (1000).to_bytes(4, "little")
    assert refusal(bytes(data)).code in ("damaged_bundle", "too_large")


def test_a_bomb_inside_the_arrays_is_refused() -> None:
    bomb = repacked({"vertices.npy": bytes(MEMBER_LIMITS["model.npz"] + 1)}, zipfile.ZIP_DEFLATED)
    assert isinstance(refusal(with_member("model.npz", bomb)), TooLarge)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        file.truncate(bundle.MAX_BUNDLE_BYTES + 1)
    with pytest.raises(TooLarge):
        bundle.read_manifest(path)


def with_member(name: str, data: bytes) -> bytes:
    """A bundle with another member, whose checksum is right."""
    import hashlib

    contents = members(packed())
    contents[name] = data
    manifest = json.loads(contents["manifest.json"])
    manifest["members"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    contents["manifest.json"] = json.dumps(manifest).encode()
    return repacked(contents)


def with_manifest(change: Callable[[dict[str, Any]], object]) -> bytes:
    contents = members(packed())
    manifest = json.loads(contents["manifest.json"])
    change(manifest)
    return repacked({**contents, "manifest.json": json.dumps(manifest).encode()})


def with_array(name: str, change: Callable[[Any], Any]) -> bytes:
    with np.load(io.BytesIO(members(packed())["model.npz"])) as archive:
        arrays = {key: archive[key] for key in archive.files}
    arrays[name] = change(arrays[name])
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return with_member("model.npz", stream.getvalue())


def test_other_versions_are_refused() -> None:
    error = refusal(with_manifest(lambda m: m.update(version=2)))
    assert error.code == "unknown_version"


def test_wrong_checksums_are_refused() -> None:
    contents = members(packed())
    contents["plate.png"] = contents["preview.png"]
    assert "checksum" in str(refusal(repacked(contents)))
    assert refusal(with_manifest(lambda m: m.update(members={}))).code == "damaged_bundle"


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("name"),
        lambda m: m.update(name="../x"),
        lambda m: m.update(name=5),
        lambda m: m.update(source=[]),
        lambda m: m.update(created="x" * 10_000),
        lambda m: m["rig"].update(focal="wide"),
        lambda m: m["rig"].update(vertices=-1),
        lambda m: m["rig"].update(shapes="abc"),
        lambda m: m.update(warnings=[1]),
        lambda m: m.update(quality={"a": None}),
        lambda m: m.update(consent="yes"),
    ],
)
def test_damaged_manifests_are_refused(change: Callable[[dict[str, Any]], object]) -> None:
    assert refusal(with_manifest(change)).code in ("damaged_bundle", "bad_name")


def test_a_manifest_that_is_no_json_or_too_deep_is_refused() -> None:
    for data in (b"\xff\xfe", b"{", b"[" * 100_000):
        assert refusal(repacked({**members(packed()), "manifest.json": data}))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("vertices", lambda a: a[:-1]),
        ("vertices", lambda a: np.full_like(a, np.nan)),
        ("vertices", lambda a: a.astype(np.float64)),
        ("triangles", lambda a: a + 10_000),
        ("triangles", lambda a: a - 10_000),
        ("triangle_ids", lambda a: a[::-1].copy()),
        ("shape_offsets", lambda a: a[::-1].copy()),
        ("shape_ids", lambda a: a + 100),
        ("tint_ids", lambda a: a + 1000),
        ("parts", lambda a: a + 7),
        ("axes", lambda a: a.reshape(-1, 4)),
        ("colors", lambda a: np.asfortranarray(a)),
    ],
)
def test_damaged_arrays_are_refused(name: str, change: Callable[[Any], Any]) -> None:
    assert refusal(with_array(name, change)).code == "damaged_bundle"


def test_pickled_arrays_and_lying_headers_are_refused() -> None:
    pickled = io.BytesIO()
    np.save(pickled, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4000000000, 3), }"
    length = len(header) + 1
    liar = b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + header + b"\n"
    for array in (pickled.getvalue(), liar, b"", b"\x93NUMPY"):
        with zipfile.ZipFile(io.BytesIO(members(packed())["model.npz"])) as archive:
            arrays = {key: archive.read(key) for key in archive.namelist()}
        arrays["vertices.npy"] = array
        assert refusal(with_member("model.npz", repacked(arrays))).code == "damaged_bundle"


def test_pictures_that_are_none_are_refused() -> None:
    from PIL import Image

    def png(width: int, height: int) -> bytes:
        stream = io.BytesIO()
        Image.new("RGB", (width, height)).save(stream, "PNG")
        return stream.getvalue()

    for data in (b"x", png(16, 8), png(2050, 2050), png(16, 16)[:-35]):
        assert refusal(with_member("plate.png", data)).code == "damaged_bundle"
