"""What a face does in each frame: few groups of blendshapes, smooth in time, sparse."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.video.poses import HeadPath
from lipstream.face.arkit import BLENDSHAPE_COUNT, BLENDSHAPES, INDEX
from lipstream.face.drive import REST_SMILE
from lipstream.face.head_frame import EYE_DISTANCE_MM
from lipstream.face.landmarks import BROWS, EYES, LOWER_LIP, MESH_COUNT, UPPER_LIP, Ring
from lipstream.face.rig import Rig
from lipstream.face.shape_names import PHOTO_SMILE

__all__ = ["GROUPS", "expressed_points", "face_points", "solve_expressions", "solve_gaze"]

Doubles = NDArray[np.float64]


def _both(name: str, weight: float = 1.0) -> dict[str, float]:
    return {f"{name}Left": weight, f"{name}Right": weight}


GROUPS: tuple[Mapping[str, float], ...] = (
    {"jawOpen": 1.0},
    {"mouthClose": 1.0},
    {"mouthFunnel": 1.0},
    {"mouthPucker": 1.0},
    {**_both("mouthStretch", 0.5), **_both("mouthSmile", 0.35), **_both("mouthDimple", 0.1)},
    _both("mouthSmile"),
    {"mouthRollLower": 1.0},
    {"mouthRollUpper": 0.5, **_both("mouthPress", 0.5)},
    _both("mouthUpperUp"),
    _both("mouthLowerDown"),
    {"mouthShrugLower": 1.0, "mouthShrugUpper": 0.67},
    {"mouthLeft": 1.0},
    {"mouthRight": 1.0},
    _both("browDown"),
    {"browInnerUp": 1.0},
    _both("browOuterUp"),
    {"eyeBlinkLeft": 1.0},
    {"eyeBlinkRight": 1.0},
    _both("eyeWide"),
    _both("eyeSquint"),
)
"""Blendshapes that move together, with their shares: what landmarks can tell apart."""

_SMOOTHING = 6.0
_RIDGE = 20.0
_SPARSITY = 3.0
_STEPS = 300
_EYEBALL_MM = 12.0
_MOST_GAZE_RAD = 0.5
_GAZE_SMOOTHING_S = 0.06


def solve_expressions(
    rig: Rig,
    path: HeadPath,
    landmarks: Doubles,  # [T, 468+, 2+] canvas pixels
) -> NDArray[np.float32]:  # [T, 52]
    """Weights that bring the rig's landmarks to those seen, in the least-squares sense.

    Frames are solved together: differences between neighbours cost as well as weights do
    (projected accelerated gradient descent, Beck and Teboulle 2009).
    """
    rest = face_points(rig)
    chosen, weight = _watched()
    shapes = np.array([_group_field(rig, group)[chosen] for group in GROUPS])  # [K, P, 3]
    camera = path.camera(rest[None, chosen])  # [T, P, 3]
    directions = np.einsum("tij,kpj->tkpi", path.turns, shapes) @ rig.frame.rotation
    scale = rig.frame.focal * CANVAS_PX / camera[..., 2]  # [T, P]
    slope = camera[..., :2] / camera[..., 2:]
    moves = scale[:, None, :, None] * (
        directions[..., :2] - slope[:, None] * directions[..., 2:]
    )  # [T, K, P, 2] pixels at weight 1
    error = landmarks[:, chosen, :2] - path.pixels(rest[None, chosen])
    moves = (moves * weight[:, None]).reshape(*moves.shape[:2], -1)
    error = (error * weight[:, None]).reshape(len(error), -1)
    gram = np.einsum("tki,tli->tkl", moves, moves)
    pull = np.einsum("tki,ti->tk", moves, error) - _SPARSITY
    weights = _smooth_bounded(gram + _RIDGE * np.eye(len(GROUPS)), pull, _SMOOTHING * _RIDGE)
    blendshapes = np.zeros((len(weights), BLENDSHAPE_COUNT), np.float32)
    for k, group in enumerate(GROUPS):
        for name, share in group.items():
            blendshapes[:, INDEX[name]] += share * weights[:, k]
    return np.clip(blendshapes, 0, 1)


def solve_gaze(
    landmarks: Doubles,  # [T, 478, 2+] canvas pixels
    reference: Doubles,  # [478, 2+] of the picture that the avatar's eyes were painted from
    spacing_s: float,
) -> NDArray[np.float32]:  # [T, 4]
    """How far the eyes look to a side and up, from where the irises lie between the corners."""
    look = _iris_offsets(landmarks) - _iris_offsets(reference[None])
    look = gaussian_filter1d(look, _GAZE_SMOOTHING_S / spacing_s, axis=0, mode="nearest")
    yaw, pitch = (look / _EYEBALL_MM * (1.0, -1.0)).clip(-_MOST_GAZE_RAD, _MOST_GAZE_RAD).T
    return np.asarray(np.stack([yaw, pitch, yaw, pitch], 1), np.float32)


def _iris_offsets(landmarks: Doubles) -> Doubles:  # [T, 2] mm
    """Irises from the middle between the eyes' corners, mean of both eyes."""
    corners = {side: landmarks[:, [e.upper[0], e.upper[-1]], :2] for side, e in EYES.items()}
    middles = {side: points.mean(1) for side, points in corners.items()}
    distance = np.linalg.norm(middles["Left"] - middles["Right"], axis=1)[:, None]
    offsets = [landmarks[:, EYES[side].iris[0], :2] - middle for side, middle in middles.items()]
    return np.asarray(np.mean(offsets, axis=0) * (EYE_DISTANCE_MM / distance))


def face_points(rig: Rig) -> Doubles:  # [468, 3] mm
    """The landmarks of the face at rest, as motion without blendshapes shows it."""
    smile = rig.skin.shapes[PHOTO_SMILE][:MESH_COUNT]
    return np.asarray(rig.skin.vertices[:MESH_COUNT] + REST_SMILE * smile)


def expressed_points(rig: Rig, blendshapes: NDArray[np.float32]) -> Doubles:  # [T, 468, 3] mm
    """The landmarks of the face under some blendshapes `# [T, 52]`."""
    shapes = rig.skin.shapes
    fields = np.array([shapes[name][:MESH_COUNT] for name in BLENDSHAPES if name in shapes])
    weights = blendshapes[:, [INDEX[name] for name in BLENDSHAPES if name in shapes]]
    return np.asarray(face_points(rig) + np.einsum("tk,kpi->tpi", weights, fields))


def _group_field(rig: Rig, group: Mapping[str, float]) -> Doubles:  # [468, 3]
    fields = [share * rig.skin.shapes[name][:MESH_COUNT] for name, share in group.items()]
    return np.asarray(np.sum(fields, axis=0))


def _watched() -> tuple[NDArray[np.int64], Doubles]:
    """Landmarks that expressions are solved on, and how much each counts."""
    importance: dict[int, float] = {}
    jaw = (152, 148, 377, 176, 400, 149, 378, 150, 379, 136, 365, 172, 397, 199, 175, 200)
    cheeks = (205, 425, 50, 280, 207, 427, 187, 411)
    importance |= dict.fromkeys(cheeks, 0.5) | dict.fromkeys(jaw, 0.7)
    for lip in (UPPER_LIP, LOWER_LIP):
        for ring in Ring:
            importance |= dict.fromkeys(lip[ring], 1.5 if ring == Ring.INNER else 1.0)
    for eye in EYES.values():
        importance |= dict.fromkeys(eye.upper + eye.lower, 1.0)
        importance |= dict.fromkeys(eye.upper_fold, 0.3)
    for brow in BROWS.values():
        importance |= dict.fromkeys(brow.points, 0.7)
    indices = np.array(sorted(importance))
    return indices, np.array([importance[int(i)] for i in indices])


def _smooth_bounded(gram: Doubles, pull: Doubles, smoothing: float) -> Doubles:  # [T, K]
    largest = max(float(np.linalg.eigvalsh(g)[-1]) for g in gram) + 4 * smoothing
    weights = np.zeros_like(pull)
    ahead, momentum = weights, 1.0
    for _ in range(_STEPS):
        slope = np.einsum("tkl,tl->tk", gram, ahead) - pull
        steps = np.diff(ahead, axis=0)
        slope[:-1] -= smoothing * steps
        slope[1:] += smoothing * steps
        following = np.clip(ahead - slope / largest, 0, 1)
        grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / grown * (following - weights)
        weights, momentum = following, grown
    return weights
