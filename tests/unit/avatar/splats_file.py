"""A .splats read by its specification, docs/splats.md, as the avatar that it was made from."""

from __future__ import annotations

import io
import json
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lipstream.face.model import AvatarModel, ColorShapes, Gaussians, SparseShapes, Surface

__all__ = ["SplatsFile"]


class SplatsFile:
    """Its header, arrays and pictures."""

    def __init__(self, data: bytes) -> None:
        magic, version, length = struct.unpack_from("<8sII", data)
        assert (magic, version) == (b"LIPSPLAT", 1)
        self.header: dict[str, Any] = json.loads(data[16 : 16 + length])
        at = 16 + length + self.header["deflated_bytes"]
        planes = zlib.decompress(data[16 + length : at])
        assert len(planes) == self.header["inflated_bytes"]
        self.arrays: dict[str, NDArray[Any]] = {}
        for each in self.header["arrays"]:
            kind, shape = each["type"].split()[0], each["shape"]
            count, size = int(np.prod(shape)), np.dtype(kind).itemsize
            bytes_of = np.frombuffer(planes[: count * size], np.uint8).reshape(size, count)
            numbers = np.ascontiguousarray(bytes_of.T).view(np.dtype(kind).newbyteorder("<"))
            table = numbers.reshape(-1, shape[0]).T.reshape(shape)
            if each["type"] == "int32 differences":
                table = table.cumsum(axis=0, dtype=np.int32)
            self.arrays[each["name"]] = table * each["step"] if "step" in each else table
            planes = planes[count * size :]
        assert not planes
        self.pictures: dict[str, NDArray[np.uint8]] = {}
        for each in self.header["pictures"]:
            picture = Image.open(io.BytesIO(data[at : at + each["bytes"]]), formats=["PNG"])
            self.pictures[each["name"]] = np.asarray(picture)
            at += each["bytes"]
        assert at == len(data)

    def model(self) -> AvatarModel:
        header, floats = self.header, {k: v.astype(np.float32) for k, v in self.arrays.items()}
        triangles, first = self.arrays["triangles"], self.arrays["triangle_first"]
        corners, lower = floats["corners"], floats["axes"]
        axes = np.zeros((len(lower), 2, 2), np.float32)
        axes[:, 0, 0], axes[:, 1, 0], axes[:, 1, 1] = lower.T
        ids = np.repeat(np.arange(len(triangles), dtype=np.int32), np.diff(first))
        person = self.pictures.get("person")
        return AvatarModel(
            surface=Surface(
                floats["vertices"],
                triangles,
                self._shapes(),
                floats["head_weights"],
                np.array(header["head_pivot"], np.float32),
                np.array(header["head_to_camera"], np.float32),
            ),
            gaussians=Gaussians(
                ids,
                np.concatenate([1 - corners.sum(1, keepdims=True), corners], axis=1),
                axes,
                floats["colors"][:, 3],
                floats["colors"][:, :3],
                floats["depth_bias"],
                np.zeros(len(ids), np.uint8),
            ),
            color_shapes=ColorShapes(
                tuple(header["color_shapes"]),
                self.arrays["tint_first"],
                self.arrays["tint_splats"],
                floats["tint_vectors"],
            ),
            part_names=("all",),
            plate=self.pictures["photo"],
            focal=header["focal"],
            cull_cosine=header["cull_cosine"],
            torso=None if person is None else person[..., 3],
        )

    def _shapes(self) -> SparseShapes:
        """By vertex, as models have them; the file has them by shape."""
        shapes = np.repeat(
            np.arange(len(self.header["shapes"])), np.diff(self.arrays["shape_first"])
        )
        vertices = self.arrays["shape_vertices"]
        order = np.argsort(vertices, kind="stable")
        count = len(self.arrays["vertices"])
        return SparseShapes(
            tuple(self.header["shapes"]),
            np.searchsorted(vertices[order], np.arange(count + 1)).astype(np.int32),
            shapes[order].astype(np.int32),
            self.arrays["shape_vectors"][order].astype(np.float32),
        )
