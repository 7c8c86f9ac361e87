"""The face's skin, the rim around it, and a backing that closes slopes when the head turns."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lipstream.avatar.binding import bind_to_area, bind_to_picture, held_small
from lipstream.avatar.filling import mix, sample
from lipstream.avatar.layer import Layer
from lipstream.avatar.layers.creases import crease_tint
from lipstream.avatar.layers.lids import lid_tints
from lipstream.avatar.layers.lips import (
    PARTED_MM,
    colors_off_the_lip_line,
    lip_tint,
    tuck_tint,
)
from lipstream.avatar.layers.scene import PhotoScene
from lipstream.face.parts import smoothstep
from lipstream.face.shape_names import LIP_REST, LIP_TUCK

__all__ = ["backing_layer", "rim_layer", "skin_layer"]

Array = NDArray[np.float64]

_CELL_PX = 1.25
_LATITUDE = 0.35
_BESIDE_PX = (5, 5)
_SURE = (0.85, 0.98)
"""Trust in the photo, of a pixel and those beside it, from which on what is solved is kept."""
_LONGEST_MM = 2.0
"""Corners of closed lips open into large triangles: no disc there may grow beyond this."""
_FOLD = (0.01, 0.05)
"""What is lightened this much is a fold of the photo: as sharp as there it need not be."""
_LINE_RING = 0.33
_LINE_LONGEST_MM = 0.55
"""Beside the lips' line: what pursed lips draw out would reach over the line and fray it."""
_RIM_REACH_PX = (3.0, 11.0)
"""The rim is opaque up to the first distance from the outline and gone at the second."""
_LEAST_COVER = 0.04
_BACKING_BIAS_MM = 10.0


def skin_layer(scene: PhotoScene) -> Layer:
    """The face as seen in the photo."""
    stage = scene.stage
    binding = bind_to_picture(stage, ("skin", "rim"), _CELL_PX)
    binding = binding.only(binding.triangles < stage.spans["skin"].triangles.stop)
    binding = held_small(stage, binding, stage.open, _LONGEST_MM)
    ring = stage.coordinate("skin", "ring", binding.triangles, binding.barycentric)
    at_line = np.where(ring < _LINE_RING, _LINE_LONGEST_MM, np.inf)
    binding = held_small(stage, binding, stage.rounded, at_line)
    cover = sample(scene.face_colors.cover, binding.photo_px)
    binding, cover = binding.only(cover > _LEAST_COVER), cover[cover > _LEAST_COVER]
    points = binding.photo_px
    place = {
        name: stage.coordinate("skin", name, binding.triangles, binding.barycentric)
        for name in ("ring", "along", "lip", "lid")
    }

    colors, near_line = colors_off_the_lip_line(scene, points, place["ring"], place["lip"])
    slope = np.abs(stage.facing("skin"))[binding.triangles - stage.spans["skin"].triangles.start]
    distance, _ = cKDTree(scene.mouth_px).query(points)
    bound = np.max([1 - smoothstep(6, 14, distance), 1 - smoothstep(0.15, 0.5, slope)], axis=0)
    latitude = np.where(near_line, _line_latitude(scene), _LATITUDE - 0.30 * bound)
    trust = sample(scene.face_colors.trust, points)
    latitude = latitude * trust
    sure = sample(ndi.grey_erosion(scene.face_colors.trust, _BESIDE_PX), points)
    # What the photo shows beside the jaw is kept for the photo's own view, and for nothing else.
    own = sample(scene.face_colors.image, points) - colors
    at_rest = lip_tint(colors, place["ring"], place["along"], place["lip"])
    lightened = crease_tint(scene, points, place["ring"])
    at_rest = at_rest + lightened
    at_rest = np.where((trust < 0.98)[:, None], own, at_rest)
    return Layer(
        name="skin",
        binding=binding,
        colors=colors,
        opacities=cover,
        latitude=latitude,
        photo_only=np.maximum(1 - smoothstep(*_SURE, sure), smoothstep(*_FOLD, lightened.max(1))),
        tints={
            **lid_tints(scene, points, place["lid"], colors),
            LIP_REST: at_rest,
            LIP_TUCK: tuck_tint(colors, place["ring"], place["lip"]),
        },
    )


def _line_latitude(scene: PhotoScene) -> float:
    """Beside the lips' line: the true colours of closed lips, borrowed ones of parted lips."""
    return 0.15 if scene.rig.face.lip_gap_mm < PARTED_MM else 0.0


def rim_layer(scene: PhotoScene) -> Layer:
    """The pixels just outside the face: over the neck a soft strip that moves with the jaw."""
    stage, matte = scene.stage, scene.matte
    binding = bind_to_picture(stage, ("skin", "rim"), _CELL_PX)
    binding = binding.only(binding.triangles >= stage.spans["rim"].triangles.start)
    points = binding.photo_px
    distance = scene.outline_distance(points)

    left, right = scene.plate.neck_span
    over_neck = sample(matte.neck, points)
    over_neck = over_neck * smoothstep(left + 1, left + 8, points[:, 0])
    over_neck = over_neck * (1 - smoothstep(right - 8, right - 1, points[:, 0]))
    on_neck = 1 - smoothstep(*_RIM_REACH_PX, distance)
    soft_edge = np.clip((sample(matte.alpha, points) - 0.25) / 0.6, 0, 1)
    soft_edge = np.where(distance < 5, soft_edge, 0) * (1 - sample(matte.neck, points))
    opacity = soft_edge * (1 - over_neck) + on_neck * over_neck
    drawn = opacity > 0.03
    binding, points, opacity = binding.only(drawn), points[drawn], opacity[drawn]
    colors = mix(sample(scene.head_colors, points), sample(scene.photo, points), over_neck[drawn])
    return Layer(
        name="rim",
        binding=binding,
        colors=colors,
        opacities=opacity,
        latitude=0.05 + 0.15 * over_neck[drawn],
    )


def backing_layer(scene: PhotoScene) -> Layer:
    """Coarse Gaussians behind skin that slopes away in the photo."""
    stage = scene.stage
    binding = bind_to_area(stage, "backing", 1.8, 0.85)
    skin_px = stage.photo_px[stage.parts["backing"].coordinates["source"].astype(int)]
    above_px = stage.interpolate("backing", skin_px, binding.triangles, binding.barycentric)
    return Layer(
        name="backing",
        binding=binding,
        colors=sample(scene.face_colors.image, above_px),
        opacities=sample(scene.face_colors.cover, above_px),
        latitude=np.zeros(len(binding)),
        depth_bias_mm=_BACKING_BIAS_MM,
    )
