"""Joining painted layers into an avatar model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.layer import Layer
from lipstream.avatar.layers import LID_SHARE
from lipstream.avatar.plate import Plate
from lipstream.avatar.stage import PosedSurface
from lipstream.face.head_frame import FOCAL
from lipstream.face.model import AvatarModel, ColorShapes, Gaussians
from lipstream.face.shape_names import COLOR_SHAPE_NAMES, LID_LEFT, LID_RIGHT, LIP_REST

__all__ = ["Composition", "compose", "dense_tints", "taken_back_at_rest", "with_colors"]

_LEAST_TINT = 1 / 512
_CULL_COSINE = -0.2
"""Renderers fade triangles near the limit: skin that just grazes the view must stay whole."""


@dataclass(frozen=True, slots=True)
class Composition:
    """A model, and what the colour solve needs to know of its Gaussians."""

    model: AvatarModel  # before its colours are solved
    latitude: NDArray[np.float32]  # [N] how far each colour may move
    photo_only: NDArray[np.float32]  # [N] 0..1, share of that move which other views must not show


def compose(stage: PosedSurface, layers: Sequence[Layer], plate: Plate) -> Composition:
    """Sort the layers' Gaussians by triangle and gather them with the surface."""
    triangles = np.concatenate([layer.binding.triangles for layer in layers])
    order = np.argsort(triangles, kind="stable")

    def joined(arrays: list[NDArray[np.float64]]) -> NDArray[np.float32]:
        return np.concatenate(arrays).astype(np.float32)[order]

    def each(value: float, layer: Layer) -> NDArray[np.float64]:
        return np.full(len(layer.binding), value)

    gaussians = Gaussians(
        triangle_ids=triangles[order].astype(np.int32),
        barycentric=joined([layer.binding.barycentric for layer in layers]),
        axes=joined([layer.binding.axes for layer in layers]),
        opacities=joined([layer.opacities for layer in layers]),
        colors=joined([layer.colors.clip(0, 1) for layer in layers]),
        depth_bias=joined([each(layer.depth_bias_mm, layer) for layer in layers]),
        parts=joined([each(k, layer) for k, layer in enumerate(layers)]).astype(np.uint8),
    )
    tints = []
    for name in COLOR_SHAPE_NAMES:
        empty = np.zeros(3)
        tints.append(
            joined(
                [
                    layer.tints.get(name, np.broadcast_to(empty, (len(layer.binding), 3)))
                    for layer in layers
                ]
            )
        )
    model = AvatarModel(
        surface=stage.surface,
        gaussians=gaussians,
        color_shapes=_sparse_tints(tints),
        part_names=tuple(layer.name for layer in layers),
        plate=np.rint(plate.image.clip(0, 1) * 255).astype(np.uint8),
        focal=FOCAL,
        cull_cosine=_CULL_COSINE,
        torso=np.rint(plate.torso * 255).astype(np.uint8),
    )
    shown_elsewhere = [
        each(0.0, layer) if layer.photo_only is None else layer.photo_only for layer in layers
    ]
    return Composition(model, joined([layer.latitude for layer in layers]), joined(shown_elsewhere))


def with_colors(model: AvatarModel, colors: NDArray[np.float32]) -> AvatarModel:
    """The model in other colours `# [N, 3]`; closed lids keep theirs.

    What lids take on in a blink is given by the way to it: where that begins elsewhere, what an
    open eye shows there would stay behind as streaks.
    """
    shapes = model.color_shapes
    vectors = shapes.vectors.copy()
    for j, name in enumerate(shapes.names):
        if name in (LID_LEFT, LID_RIGHT):
            entries = slice(shapes.offsets[j], shapes.offsets[j + 1])
            ids = shapes.ids[entries]
            vectors[entries] -= LID_SHARE * (colors - model.gaussians.colors)[ids]
    return replace(
        model,
        gaussians=replace(model.gaussians, colors=colors),
        color_shapes=replace(shapes, vectors=vectors),
    )


def taken_back_at_rest(model: AvatarModel, change: NDArray[np.float32]) -> AvatarModel:
    """The model whose colours lose a change `# [N, 3]` wherever it is not as photographed."""
    tints = dense_tints(model.color_shapes, len(change))
    tints[model.color_shapes.names.index(LIP_REST)] -= change
    return replace(model, color_shapes=_sparse_tints(tints))


def dense_tints(shapes: ColorShapes, count: int) -> NDArray[np.float32]:  # [J, N, 3]
    """What each colour shape adds to each of `count` Gaussians."""
    dense = np.zeros((len(shapes.names), count, 3), np.float32)
    for j in range(len(shapes.names)):
        entries = slice(shapes.offsets[j], shapes.offsets[j + 1])
        dense[j, shapes.ids[entries]] = shapes.vectors[entries]
    return dense


def _sparse_tints(tints: Iterable[NDArray[np.float32]]) -> ColorShapes:
    tints = list(tints)
    ids = [np.flatnonzero(np.abs(tint).max(1) > _LEAST_TINT) for tint in tints]
    return ColorShapes(
        names=COLOR_SHAPE_NAMES,
        offsets=np.concatenate([[0], np.cumsum([len(i) for i in ids])]).astype(np.int32),
        ids=np.concatenate(ids).astype(np.int32),
        vectors=np.concatenate([tint[i] for tint, i in zip(tints, ids, strict=True)]),
    )
