"""The head's sides, which a photo from the front hardly shows, when the head turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.compose import dense_tints
from lipstream.avatar.fit import FitResult
from lipstream.avatar.polygon import polygon_mask
from lipstream.evaluation.contact_sheet import Cell, draw_cell
from lipstream.face.drive import photo_weights
from lipstream.face.landmarks import FACE_OVAL
from lipstream.face.motion import Motion
from lipstream.face.shape_names import LIP_REST
from lipstream.render import Pose, SplatRenderer, reference
from tests.shared_data import shared_data
from tests.unit.avatar.portraits import hopper

TURNS_DEG = (-20.0, 20.0)
NODS_DEG = (-15.0, 15.0)
INSET = 0.94
"""Of the outline's size: its very edge is soft."""


def turned(fit: FitResult, yaw_deg: float) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The picture of a turned head, and where its face is."""
    renderer = SplatRenderer(fit.model, 512)
    picture = draw_cell(renderer, Cell("turned", rotation_deg=(0, yaw_deg, 0)))
    return picture, outline(fit, yaw_deg)


def outline(fit: FitResult, yaw_deg: float, pitch_deg: float = 0) -> NDArray[np.bool_]:
    pose = SplatRenderer(fit.model, 512).pose(looking(yaw_deg, pitch_deg))
    camera = reference.camera_vertices(fit.model, pose)[list(FACE_OVAL)]
    points = (fit.model.focal * camera[:, :2] / camera[:, 2:] + 0.5) * 512
    return polygon_mask(points.mean(0) + INSET * (points - points.mean(0)))


def looking(yaw_deg: float, pitch_deg: float) -> Motion:
    motion = Motion.rest(1)
    motion.rotation[0, :2] = np.deg2rad([pitch_deg, yaw_deg])
    return motion


@pytest.mark.parametrize(
    ("yaw_deg", "pitch_deg"),
    [*((yaw, 0.0) for yaw in TURNS_DEG), *((0.0, pitch) for pitch in NODS_DEG)],
)
def test_nothing_shows_through_a_face_that_turns_or_nods(
    fitted: Callable[[Path], FitResult], yaw_deg: float, pitch_deg: float
) -> None:
    fit = fitted(hopper())
    renderer = SplatRenderer(fit.model, 512)
    open_share = renderer.premultiplied(renderer.pose(looking(yaw_deg, pitch_deg)))[..., 3]
    assert float(open_share[outline(fit, yaw_deg, pitch_deg)].max()) < 0.1


@pytest.mark.parametrize("yaw_deg", TURNS_DEG)
@pytest.mark.parametrize("name", ["id2_vcd_swwp2s", "bbaf2n"])
def test_no_background_is_painted_on_the_side_of_the_jaw(
    fitted: Callable[[Path], FitResult], name: str, yaw_deg: float
) -> None:
    """These people sit before a blue wall: no skin is blue."""
    picture, face = turned(fitted(shared_data("portraits", "grid") / f"{name}_first.png"), yaw_deg)
    red, _, blue = (picture[face][:, k].astype(int) for k in range(3))
    assert int((blue > red + 10).sum()) < 25


def test_hair_goes_on_behind_the_face(fitted: Callable[[Path], FitResult]) -> None:
    """A turn shows what lies there, between cheek and sideburn: skin would be a pale line."""
    model = fitted(shared_data("portraits", "grid") / "bbaf2n_first.png").model
    gaussians = model.gaussians
    camera = reference.camera_vertices(model, Pose(photo_weights(model)))
    corners = camera[model.surface.triangles[gaussians.triangle_ids]]
    centres = (corners * gaussians.barycentric[..., None]).sum(1)
    points, ears = (
        (model.focal * p[:, :2] / p[:, 2:] + 0.5) * 512 for p in (centres, camera[[234, 454]])
    )
    oval = camera[list(FACE_OVAL)]
    face = polygon_mask((model.focal * oval[:, :2] / oval[:, 2:] + 0.5) * 512)
    inwards = ndi.distance_transform_edt(face) - ndi.distance_transform_edt(~face)
    x, y = points.astype(int).clip(0, 511).T
    depth = inwards[y, x]
    beside_ears = np.abs(points[:, 1] - ears[:, 1].mean()) < 25

    def brightness(part: str, nearest: float, farthest: float) -> float:
        here = (depth > nearest) & (depth < farthest) & beside_ears
        chosen = here & (gaussians.parts == model.part_names.index(part))
        return float(gaussians.colors[chosen].mean())

    beside = brightness("hair", -5, -1)
    assert brightness("skin", 3, 10) > beside + 0.15
    assert brightness("hair", 1, 99) == pytest.approx(beside, abs=0.1)


def test_no_odd_colours_line_the_edge_of_an_ear(fitted: Callable[[Path], FitResult]) -> None:
    """The solve sharpens what it may beside what it must leave: a dotted line, were it shown."""
    model = fitted(shared_data("portraits", "grid") / "bbaf2n_first.png").model
    names = model.color_shapes.names
    tints = dense_tints(model.color_shapes, len(model.gaussians.colors))
    hair = model.gaussians.parts == model.part_names.index("hair")
    taken_back = np.abs(tints[names.index(LIP_REST)][hair]).max(1) > 0.05
    assert taken_back.sum() > 100


def test_nothing_stands_out_at_the_outline_of_a_face_seen_as_photographed(
    fitted: Callable[[Path], FitResult],
) -> None:
    """What closes gaps when the head turns is not to be seen beside the face's edge before."""
    model = fitted(hopper()).model
    backing = model.gaussians.parts == model.part_names.index("backing")
    bare = replace(
        model,
        gaussians=replace(
            model.gaussians, opacities=np.where(backing, 0, model.gaussians.opacities)
        ),
    )
    pose = Pose(photo_weights(model))
    whole, without = (SplatRenderer(m, 512).rgb(pose).copy().astype(int) for m in (model, bare))
    seen = np.abs(whole - without).max(2) > 24
    assert int(seen.sum()) < 50


def test_neck_and_shoulders_are_whole_behind_the_jaw(fitted: Callable[[Path], FitResult]) -> None:
    """No crack lies between the neck that is painted behind the jaw and the one in the photo."""
    torso = fitted(hopper()).model.torso
    assert torso is not None
    body = torso > 127
    assert int((ndi.binary_fill_holes(body) & ~body).sum()) < 60
