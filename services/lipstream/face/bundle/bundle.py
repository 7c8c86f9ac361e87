"""Saving and loading avatar bundles."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream import __version__
from lipstream.errors import Unavailable
from lipstream.face.bundle.archive import open_archive, read_member, write_archive
from lipstream.face.bundle.arrays import pack_model, unpack_model
from lipstream.face.bundle.manifest import Consent, Manifest, Member, Note, RigInfo, Source
from lipstream.face.bundle.pictures import pack_picture, unpack_picture
from lipstream.face.model import AvatarModel
from lipstream.wire.objects import checked_avatar_id

__all__ = [
    "AvatarBundle",
    "BundleSource",
    "load",
    "new_bundle",
    "read_manifest",
    "read_preview",
    "save",
]

BundleSource: TypeAlias = Path | str | bytes | BinaryIO


@dataclass(frozen=True, slots=True)
class AvatarBundle:
    """An avatar with its papers."""

    manifest: Manifest
    model: AvatarModel
    preview: NDArray[np.uint8]  # [S, S, 3] the avatar at rest
    sheet: NDArray[np.uint8] | None = None  # [H, W, 3] poses side by side


def new_bundle(
    name: str,
    model: AvatarModel,
    preview: NDArray[np.uint8],
    source: Source,
    *,
    sheet: NDArray[np.uint8] | None = None,
    consent: Consent | None = None,
    license: str = "",
    quality: Mapping[str, float] | None = None,
    warnings: Sequence[Note] = (),
    created: datetime | None = None,
) -> AvatarBundle:
    """Put an avatar's papers together.

    Args:
        created: now by default.

    Raises:
        BadInput: the name is not a slug (see `checked_avatar_id`).
    """
    moment = (created or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
    rig = RigInfo(
        shapes=model.surface.shapes.names,
        color_shapes=model.color_shapes.names,
        parts=model.part_names,
        focal=float(model.focal),
        cull_cosine=float(model.cull_cosine),
        vertices=len(model.surface.vertices),
        triangles=len(model.surface.triangles),
        gaussians=len(model.gaussians.colors),
    )
    manifest = Manifest(
        name=checked_avatar_id(name),
        created=moment,
        source=source,
        rig=rig,
        consent=consent,
        license=license,
        generator=f"lipstream {__version__}",
        renderer=model.renderer,
        quality=dict(quality or {}),
        warnings=tuple(warnings),
    )
    return AvatarBundle(manifest, model, preview, sheet)


def save(bundle: AvatarBundle, target: Path | str | BinaryIO) -> Manifest:
    """Write a bundle; a path is written as a whole or not at all.

    Returns:
        The manifest as written, with the members' checksums.

    Raises:
        Unavailable: the file cannot be written.
    """
    contents = {
        "model.npz": pack_model(bundle.model),
        "plate.png": pack_picture(_plate(bundle.model)),
        "preview.png": pack_picture(bundle.preview),
    }
    if bundle.sheet is not None:
        contents["sheet.png"] = pack_picture(bundle.sheet)
    manifest = replace(
        bundle.manifest,
        members={
            name: Member(hashlib.sha256(data).hexdigest(), len(data))
            for name, data in contents.items()
        },
    )
    stream = io.BytesIO()
    # The members are compressed themselves.
    write_archive({"manifest.json": manifest.to_json(), **contents}, stream, zipfile.ZIP_STORED)
    if isinstance(target, Path | str):
        _write_whole(Path(target), stream.getvalue())
    else:
        target.write(stream.getvalue())
    return manifest


def load(source: BundleSource) -> AvatarBundle:
    """Read a bundle from a path, bytes or a seekable stream, checking everything.

    Raises:
        NotFound: there is no such file.
        TooLarge: the bundle, or something in it, is over its limit.
        BadInput: no bundle, one of another version, or a damaged one.
    """
    with open_archive(source) as archive:
        manifest = Manifest.from_json(read_member(archive, "manifest.json"))
        data = {
            name: read_member(archive, name, manifest.members.get(name, Member("", -1)))
            for name in ("model.npz", "plate.png", "preview.png", "sheet.png")
            if name in manifest.members or name != "sheet.png"  # which not every bundle has
        }
    plate = unpack_picture(data["plate.png"], "plate.png")
    preview = unpack_picture(data["preview.png"], "preview.png")[..., :3]
    sheet = None
    if "sheet.png" in data:
        sheet = unpack_picture(data["sheet.png"], "sheet.png", square=False)[..., :3]
    model = unpack_model(data["model.npz"], manifest.rig, plate)
    model = replace(model, renderer=manifest.renderer)
    return AvatarBundle(manifest, model, preview, sheet)


def read_manifest(source: BundleSource) -> Manifest:
    """The manifest alone; the rest is not read. Raises as `load`."""
    with open_archive(source) as archive:
        return Manifest.from_json(read_member(archive, "manifest.json"))


def read_preview(source: BundleSource) -> bytes:
    """The preview alone, as PNG. Raises as `load`."""
    with open_archive(source) as archive:
        manifest = Manifest.from_json(read_member(archive, "manifest.json"))
        return read_member(
            archive, "preview.png", manifest.members.get("preview.png", Member("", -1))
        )


def _plate(model: AvatarModel) -> NDArray[np.uint8]:
    """The plate, with the torso as its alpha where that is known."""
    if model.torso is None:
        return model.plate
    return np.dstack([model.plate, model.torso])


def _write_whole(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise Unavailable(
            f"The avatar cannot be written: {error.strerror}.",
            remedy="Check that the disk has room and the folder can be written.",
        ) from error
