"""Colours and plate that give back all frames of a shot at once.

As with one photo (`lipstream.avatar.color_solve`), the render is linear in both, and SIRT needs
the render and its adjoint alone, of the splats and of what they stand before. What many frames
have seen may move further from what was painted than what one frame shows; what none has seen
keeps its colour.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.compose import Composition, dense_tints, with_colors
from lipstream.avatar.layers import INNER_PARTS
from lipstream.avatar.video.backdrop import Backdrop
from lipstream.avatar.video.checkpoint import Checkpoint
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.face.parts import LOWER_TEETH, UPPER_TEETH
from lipstream.render import ColorMap, Gathered, Pose
from lipstream.render.scene import Scene

__all__ = ["solve_appearance"]

_SWEEPS = 6
_MOST_FRAMES = 120
"""Spread evenly; more of them say the same again."""
_RELAXATION = 1.2
_LEAST_WEIGHT = 0.25
"""Pixels' worth of weight in a frame under which a step is held back."""
_LATITUDE = 0.30
_SURE_WEIGHT = 0.30
"""Pixels' worth of weight in a frame, on average, from which a colour is known well."""
_LEAST_GAIN = 0.003
"""Share of the squared error: a sweep that brings less is the last."""
_CLEAR, _CLEAR_PX = 0.97, 7
"""The plate is learned where so much of it shows, over a square of so many pixels."""
_TEETH = frozenset(arch.name for arch in (UPPER_TEETH, LOWER_TEETH))
_THREADS = 2
_AT_ONCE = 16
"""Frames whose residuals may wait in memory."""
_STEP = "appearance"


@dataclass(slots=True)
class _Sums:
    """What all frames say of one sweep."""

    colors: Floats  # [N, 3]
    weight: Floats  # [N]
    plate: Floats  # [S, S, 3]
    seen: Floats  # [S, S]
    error: float = 0.0

    def add(self, gathered: Gathered, residual: Floats, through: Floats, behind: Backdrop) -> None:
        """What one frame says."""
        self.colors += gathered.residual
        self.weight += gathered.weight
        # Beside the head, errors of its edge would be drawn into the plate.
        clear = (ndi.minimum_filter(through, _CLEAR_PX) > _CLEAR).astype(np.float32)
        self.plate += behind.gather(clear[..., None] * residual)
        self.seen += behind.gather(clear)
        self.error += float((residual**2).mean())


def solve_appearance(
    composition: Composition,
    frames: NDArray[np.uint8],  # [T, 512, 512, 3]
    poses: list[Pose],
    say: Callable[[float], None],
    checkpoint: Checkpoint,
) -> AvatarModel:
    """The model with colours and plate that reproduce the frames at their poses."""
    few = np.unique(np.linspace(0, len(poses) - 1, _MOST_FRAMES).round().astype(int))
    model = composition.model
    tints = dense_tints(model.color_shapes, len(model.gaussians.colors))
    scene = Scene.of(model, CANVAS_PX)
    start = model.gaussians.colors
    own = composition.latitude
    teeth, hidden = _of_parts(model, _TEETH), _of_parts(model, INNER_PARTS - _TEETH)
    own_direction = start / np.maximum(np.linalg.norm(start, axis=1, keepdims=True), 1e-6)
    colors, plate = start, model.plate.astype(np.float32) / 255
    first, last_error = 0, np.inf
    reached = checkpoint.load(_STEP)
    if reached is not None and reached["colors"].shape == colors.shape:
        colors = reached["colors"].astype(np.float32)
        plate = reached["plate"].astype(np.float32)
        first, last_error = int(reached["sweep"]), float(reached["error"])

    def look(k: np.int64) -> tuple[Gathered, Floats, Floats, Backdrop]:
        color_map = ColorMap(model, poses[k], CANVAS_PX, scene=scene)
        behind = Backdrop(scene, poses[k])
        shown = colors + np.tensordot(color_map.tint_weights, tints, 1)
        picture = color_map.render(shown, behind.draw(plate))
        residual = frames[k].astype(np.float32) / np.float32(255) - picture
        return color_map.gather(residual), residual, color_map.transmittance, behind

    for sweep in range(first, _SWEEPS):
        sums = _Sums(
            np.zeros_like(colors), np.zeros_like(own), np.zeros_like(plate), plate[..., 0] * 0
        )
        with ThreadPoolExecutor(_THREADS) as pool:
            for begin in range(0, len(few), _AT_ONCE):
                for seen in pool.map(look, few[begin : begin + _AT_ONCE]):
                    sums.add(*seen)
                say((sweep + begin / len(few)) / _SWEEPS)
        if sums.error > last_error * (1 - _LEAST_GAIN):
            break
        last_error = sums.error
        known = np.clip(sums.weight / len(few) / _SURE_WEIGHT, 0, 1)
        room = np.maximum(own, _LATITUDE * known)[:, None]
        least = np.float32(_LEAST_WEIGHT * len(few))
        step = _RELAXATION * sums.colors / np.maximum(sums.weight, least)[:, None]
        # Lips hide and show what lies behind them by a hair: of teeth only the brightness is
        # told, and of what is darker nothing.
        along = (step * own_direction).sum(1, keepdims=True) * own_direction
        step = np.where(teeth, along, step * ~hidden)
        colors = np.clip(
            colors + step, np.maximum(start - room, 0), np.minimum(start + room, 1)
        ).astype(np.float32)
        plate_step = _RELAXATION * sums.plate / np.maximum(sums.seen, least)[..., None]
        plate = np.clip(plate + plate_step, 0, 1)
        checkpoint.save(
            _STEP,
            colors=colors,
            plate=plate,
            sweep=np.array(sweep + 1),
            error=np.array(last_error),
        )
    return replace(with_colors(model, colors), plate=np.rint(plate * 255).astype(np.uint8))


def _of_parts(model: AvatarModel, names: Collection[str]) -> NDArray[np.bool_]:  # [N, 1]
    chosen = [k for k, name in enumerate(model.part_names) if name in names]
    return np.isin(model.gaussians.parts, chosen)[:, None]
