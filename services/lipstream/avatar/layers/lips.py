"""The lips: their colours, kept apart from what lies between them in the photo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.binding import bind_to_area, held_small
from lipstream.avatar.filling import sample
from lipstream.avatar.layer import Layer
from lipstream.avatar.layers.scene import PhotoScene
from lipstream.face.landmarks import LOWER_LIP, UPPER_LIP, Ring
from lipstream.face.parts import smoothstep
from lipstream.face.shape_names import LIP_REST, LIP_TUCK

__all__ = ["PARTED_MM", "colors_off_the_lip_line", "lip_layer", "lip_tint", "tuck_tint"]

Array = NDArray[np.float64]

PARTED_MM = 1.0
"""Lips that are further apart in the photo do not show the colours of closed ones."""
_INSET_SHARE = 0.35
"""Of a lip's thickness: colours nearer to its edge are taken from this far inside it."""
_MOST_INSET_PX = 3.0
_EDGE_RING = 1.05
_FOLD_RING, _FOLD_COSINE, _FOLD_WIDER = 2.4, 0.6, 2.2
"""How far down the fold beneath a lower lip goes, how steep it is, how much wider its discs are: a
lip that hung over it in the photo lets it be seen as the mouth shuts."""
_SPACING_MM = 0.7
_RADIUS_MM = 0.7
_LINE_RING = 0.10
"""Discs nearer to the line where the lips meet would reach over it, and half close the mouth."""
_DEPTH_BIAS_MM = 2.0
_TUCK_SHADE = np.array([0.45, 0.52, 0.52])
_TUCK_RINGS = (0.02, 0.42)
"""The shadow of teeth on a tucked lip is full at the first ring and ends at the second."""


def lip_layer(scene: PhotoScene) -> Layer:
    """Gaussians behind the lips' skin, spread by area.

    Pressed lips show little of themselves; when the mouth rounds or opens, this is what keeps
    their edge whole. The fold beneath a lower lip that hangs is closed as well.
    """
    stage = scene.stage
    skin = stage.parts["skin"]
    ring = skin.coordinates["ring"][skin.triangles].max(1)
    lower = skin.coordinates["lip"][skin.triangles].min(1) > 0
    fold = lower & (ring < _FOLD_RING) & (stage.facing("skin") < _FOLD_COSINE)
    chosen = (ring < _EDGE_RING) | fold
    binding = bind_to_area(stage, "skin", _SPACING_MM, 0.8, chosen, stage.open)
    ring = stage.coordinate("skin", "ring", binding.triangles, binding.barycentric)
    binding, ring = binding.only(ring > _LINE_RING), ring[ring > _LINE_RING]
    binding = held_small(stage, binding, stage.rounded, _RADIUS_MM)
    wide = np.where(ring > _EDGE_RING, _FOLD_WIDER, 1.0)
    binding = replace(binding, axes=binding.axes * wide[:, None, None])
    ring, along, lip = (
        stage.coordinate("skin", name, binding.triangles, binding.barycentric)
        for name in ("ring", "along", "lip")
    )
    colors, _ = colors_off_the_lip_line(scene, binding.photo_px, ring, lip)
    return Layer(
        name="lips",
        binding=binding,
        colors=colors,
        opacities=np.ones(len(binding)),
        latitude=np.zeros(len(binding)),
        depth_bias_mm=_DEPTH_BIAS_MM,
        tints={
            LIP_REST: lip_tint(colors, ring, along, lip),
            LIP_TUCK: tuck_tint(colors, ring, lip),
        },
    )


def colors_off_the_lip_line(
    scene: PhotoScene, points: Array, ring: Array, lip: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """The photo's colours; beside the lips' line, those from a little inside the same lip.

    The line itself holds teeth or shadow, which would move with the lip as a fringe.

    Returns:
        Colours `# [N, 3]`, and which of them are borrowed.
    """
    landmarks = scene.regions.landmarks
    wanted = points.copy()
    near = np.zeros(len(points), bool)
    for side, rings in ((-1, UPPER_LIP), (1, LOWER_LIP)):
        edge = landmarks[list(rings[Ring.INNER]), :2]
        border = landmarks[list(rings[Ring.BORDER]), :2]
        edge_y = np.interp(points[:, 0], edge[:, 0], edge[:, 1])
        thickness = side * (np.interp(points[:, 0], border[:, 0], border[:, 1]) - edge_y)
        inset = np.clip(_INSET_SHARE * thickness, 0, _MOST_INSET_PX)
        inside = side * (points[:, 1] - edge_y)
        here = (lip * side > 0.2) & (ring < 1.0) & (inside < inset)
        wanted[here, 1] = (edge_y + side * inset)[here]
        near |= here
    return sample(scene.photo, wanted), near


def lip_tint(colors: Array, ring: Array, along: Array, lip: Array) -> Array:
    """At rest the corners of the lips take the colour of their middle.

    In the photo a smile stretched them; squeezed together they would show its shadows.
    """
    on_lip = 1 - smoothstep(0.85, 1.12, ring)
    brightness = colors.mean(1)
    tint = np.zeros_like(colors)
    for side in (-1, 1):
        this = lip * side
        middle = (on_lip > 0.9) & (along < 0.45) & (this > 0.5)
        if middle.sum() < 20:
            continue
        typical = np.median(colors[middle], axis=0)
        light = np.clip(brightness / typical.mean(), 0.55, 1.0) ** 0.5
        darker = 1 - 0.18 * smoothstep(0.5, 1, along)
        target = typical * (light * darker)[:, None]
        share = on_lip * 0.90 * smoothstep(0.25, 0.65, along)
        share = np.where((on_lip > 0) & (this >= -0.01), share, 0.0)[:, None]
        tint = np.where(share > 0, (target - colors) * share, tint)
    return tint


def tuck_tint(colors: Array, ring: Array, lip: Array) -> Array:
    """Where the upper teeth hold the lower lip it is dark: they shade it, and it turns inwards."""
    shaded = np.where(lip > 0, 1 - smoothstep(*_TUCK_RINGS, ring), 0.0)
    return np.asarray(-colors * _TUCK_SHADE * shaded[:, None])
