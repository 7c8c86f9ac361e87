"""From one picture of a face and its landmarks to Gaussians on a rig, before their colours are
solved: what photos and videos have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.backing import backing
from lipstream.avatar.compose import Composition, compose
from lipstream.avatar.layer import Layer
from lipstream.avatar.layers import (
    PhotoScene,
    backing_layer,
    eye_layer,
    hair_layer,
    jaw_layer,
    lip_edge_layer,
    lip_layer,
    mouth_layers,
    rim_layer,
    skin_layer,
)
from lipstream.avatar.matte import cut_out_head, refine_edge
from lipstream.avatar.plate import paint_plate
from lipstream.avatar.regions import Regions, find_regions
from lipstream.avatar.relief import hair_relief
from lipstream.avatar.sides import face_colors
from lipstream.avatar.stage import pose_surface
from lipstream.face.rig import Rig

__all__ = ["Painting", "paint"]


@dataclass(frozen=True, slots=True)
class Painting:
    """A head painted on its rig."""

    image: NDArray[np.float64]  # [512, 512, 3] 0..1, what was painted from
    regions: Regions
    composition: Composition


def paint(
    canvas: NDArray[np.uint8],
    landmarks_px: NDArray[np.float64],
    person: NDArray[np.float32],
    rig: Rig,
    say: Callable[[float, str], None],
) -> Painting:
    """Cut the head out of a picture and lay it over the rig.

    Args:
        canvas: `# [512, 512, 3]` sRGB.
        landmarks_px: `# [478, 3]`, from which the rig was built.
        person: `# [512, 512]` 0..1.
        say: told the share of this work that is done, 0..1, and what comes next.
    """
    say(0.0, "Cutting out the head")
    image = canvas.astype(np.float64) / 255
    regions = find_regions(rig, landmarks_px, person)
    matte = cut_out_head(canvas, regions)
    plate = paint_plate(image, regions, matte)
    head_colors = PhotoScene.spread_head(image, regions, matte)
    matte = refine_edge(matte, image, head_colors, plate.image)
    stage = pose_surface(rig, (*rig.parts, backing(rig), hair_relief(rig, regions, matte)))
    say(0.6, "Painting")
    face = face_colors(image, plate.image, regions, matte, stage)
    scene = PhotoScene(image, rig, regions, matte, plate, stage, head_colors, face)
    return Painting(image, regions, compose(stage, _layers(scene), plate))


def _layers(scene: PhotoScene) -> list[Layer]:
    return [
        skin_layer(scene),
        rim_layer(scene),
        hair_layer(scene),
        lip_edge_layer(scene),
        lip_layer(scene),
        backing_layer(scene),
        jaw_layer(scene),
        *mouth_layers(scene),
        eye_layer(scene, "Right"),
        eye_layer(scene, "Left"),
    ]
