"""The model's arrays as a standard .npz, written and read without pickle and within bounds."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from lipstream.errors import BadInput, TooLarge
from lipstream.face.bundle.archive import MEMBER_LIMITS, write_archive
from lipstream.face.bundle.manifest import RigInfo
from lipstream.face.model import AvatarModel, ColorShapes, Gaussians, SparseShapes, Surface

__all__ = ["pack_model", "unpack_model"]

_LAYOUT: dict[str, tuple[str, tuple[int | str, ...]]] = {
    "vertices": ("f4", ("V", 3)),
    "triangles": ("i4", ("F", 3)),
    "shape_offsets": ("i4", ("V+1",)),
    "shape_ids": ("i4", ("E",)),
    "shape_vectors": ("f4", ("E", 3)),
    "head_weights": ("f4", ("V",)),
    "head_pivot": ("f4", (3,)),
    "head_to_camera": ("f4", (3, 4)),
    "triangle_ids": ("i4", ("N",)),
    "barycentric": ("f4", ("N", 3)),
    "axes": ("f4", ("N", 2, 2)),
    "opacities": ("f4", ("N",)),
    "colors": ("f4", ("N", 3)),
    "depth_bias": ("f4", ("N",)),
    "parts": ("u1", ("N",)),
    "tint_offsets": ("i4", ("J+1",)),
    "tint_ids": ("i4", ("C",)),
    "tint_vectors": ("f4", ("C", 3)),
}
"""Every array: type and shape, letters standing for sizes that must agree."""


def pack_model(model: AvatarModel) -> bytes:
    """The arrays as .npz; equal models give equal bytes."""
    surface, gaussians, tints = model.surface, model.gaussians, model.color_shapes
    arrays: dict[str, NDArray[Any]] = {
        "vertices": surface.vertices,
        "triangles": surface.triangles,
        "shape_offsets": surface.shapes.offsets,
        "shape_ids": surface.shapes.ids,
        "shape_vectors": surface.shapes.vectors,
        "head_weights": surface.head_weights,
        "head_pivot": surface.head_pivot,
        "head_to_camera": surface.head_to_camera,
        "triangle_ids": gaussians.triangle_ids,
        "barycentric": gaussians.barycentric,
        "axes": gaussians.axes,
        "opacities": gaussians.opacities,
        "colors": gaussians.colors,
        "depth_bias": gaussians.depth_bias,
        "parts": gaussians.parts,
        "tint_offsets": tints.offsets,
        "tint_ids": tints.ids,
        "tint_vectors": tints.vectors,
    }
    members = {}
    for name, array in arrays.items():
        stream = io.BytesIO()
        dtype = np.dtype("<" + _LAYOUT[name][0])
        np.save(stream, np.ascontiguousarray(array, dtype), allow_pickle=False)
        members[f"{name}.npy"] = stream.getvalue()
    out = io.BytesIO()
    write_archive(members, out, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def unpack_model(data: bytes, rig: RigInfo, plate: NDArray[np.uint8]) -> AvatarModel:
    """The model of a bundle.

    Args:
        plate: `# [P, P, 3]`, or with the torso as its alpha `# [P, P, 4]`.

    Raises:
        TooLarge: the arrays inflate to more than their limit.
        BadInput: an array is missing or damaged, or they contradict each other.
    """
    arrays = _read_arrays(data)
    sizes = {"J+1": len(rig.color_shapes) + 1}
    for name, (_, shape) in _LAYOUT.items():
        _check_shape(name, arrays[name].shape, shape, sizes)
    if sizes["V+1"] != sizes["V"] + 1:
        raise _contradiction("shape_offsets")
    model = AvatarModel(
        surface=Surface(
            vertices=arrays["vertices"],
            triangles=arrays["triangles"],
            shapes=SparseShapes(
                rig.shapes, arrays["shape_offsets"], arrays["shape_ids"], arrays["shape_vectors"]
            ),
            head_weights=arrays["head_weights"],
            head_pivot=arrays["head_pivot"],
            head_to_camera=arrays["head_to_camera"],
        ),
        gaussians=Gaussians(
            **{
                name: arrays[name]
                for name in (
                    "triangle_ids",
                    "barycentric",
                    "axes",
                    "opacities",
                    "colors",
                    "depth_bias",
                    "parts",
                )
            }
        ),
        color_shapes=ColorShapes(
            rig.color_shapes, arrays["tint_offsets"], arrays["tint_ids"], arrays["tint_vectors"]
        ),
        part_names=rig.parts,
        plate=plate[..., :3],
        focal=rig.focal,
        cull_cosine=rig.cull_cosine,
        torso=plate[..., 3] if plate.shape[-1] == 4 else None,
    )
    _check_indices(model)
    return model


def _read_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    left = MEMBER_LIMITS["model.npz"]
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name, (dtype, _) in _LAYOUT.items():
                with archive.open(f"{name}.npy") as stream:
                    raw = stream.read(left + 1)
                left -= len(raw)
                if left < 0:
                    raise TooLarge("The avatar's arrays are over their limit.")
                arrays[name] = _parse(name, raw, np.dtype("<" + dtype))
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        OSError,
        EOFError,
        ValueError,
        RuntimeError,
        NotImplementedError,
    ):
        raise BadInput(
            "The avatar's arrays cannot be read.",
            remedy="Create the avatar again.",
            code="damaged_bundle",
        ) from None
    return arrays


def _parse(name: str, raw: bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array from .npy bytes; the header's claims are checked against the bytes at hand."""
    stream = io.BytesIO(raw)
    if npy.read_magic(stream) != (1, 0):  # type: ignore[no-untyped-call]
        raise _contradiction(name)
    shape, fortran, found = npy.read_array_header_1_0(stream)  # type: ignore[no-untyped-call]
    start = stream.tell()
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if fortran or found != dtype or len(raw) - start != count * dtype.itemsize:
        raise _contradiction(name)
    array = np.frombuffer(raw, dtype, count, start).reshape(shape)
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise _contradiction(name)
    return array


def _check_shape(
    name: str, found: tuple[int, ...], expected: tuple[int | str, ...], sizes: dict[str, int]
) -> None:
    if len(found) != len(expected):
        raise _contradiction(name)
    for size, wanted in zip(found, expected, strict=True):
        if size != (sizes.setdefault(wanted, size) if isinstance(wanted, str) else wanted):
            raise _contradiction(name)


def _check_indices(model: AvatarModel) -> None:
    surface, gaussians, tints = model.surface, model.gaussians, model.color_shapes
    bounded: dict[str, tuple[NDArray[Any], int]] = {
        "triangles": (surface.triangles, len(surface.vertices)),
        "shape_ids": (surface.shapes.ids, len(surface.shapes.names)),
        "triangle_ids": (gaussians.triangle_ids, len(surface.triangles)),
        "parts": (gaussians.parts, len(model.part_names)),
        "tint_ids": (tints.ids, len(gaussians.colors)),
    }
    for name, (indices, end) in bounded.items():
        if indices.size and not (int(indices.min()) >= 0 and int(indices.max()) < end):
            raise _contradiction(name)
    if (np.diff(gaussians.triangle_ids) < 0).any():
        raise _contradiction("triangle_ids")
    for name, offsets, entries in (
        ("shape_offsets", surface.shapes.offsets, len(surface.shapes.ids)),
        ("tint_offsets", tints.offsets, len(tints.ids)),
    ):
        ends_fit = offsets[0] == 0 and offsets[-1] == entries
        if not ends_fit or (np.diff(offsets) < 0).any():
            raise _contradiction(name)


def _contradiction(name: str) -> BadInput:
    return BadInput(
        f"The avatar's array {name!r} is damaged.",
        remedy="Create the avatar again.",
        code="damaged_bundle",
    )
