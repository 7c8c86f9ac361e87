"""Frames of many sessions, avatars mixed, drawn in one call of the rasteriser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lipstream.errors import BadInput
from lipstream.face.motion import Floats
from lipstream.render import geometry
from lipstream.render.driver import Driver, FaceDriver, color_weights_of, shape_weights_of
from lipstream.render.gpu.device_scene import DeviceScene
from lipstream.render.gpu.placed import Placed, place
from lipstream.render.gpu.planes import to_nv12, to_yuv420p
from lipstream.render.gpu.rasterizer import GsplatRasterizer, Rasterizer
from lipstream.render.pose import Pose
from lipstream.render.scene import Scene
from lipstream.render.splats import Bytes

__all__ = ["BatchRenderer"]


@dataclass(frozen=True, slots=True)
class _Deformed:
    """What the processor makes of a pose; small next to what the device then does."""

    vertices: Floats  # [V, 3] mm, head frame
    still: Floats  # [3, 4]
    moved: Floats  # [3, 4]
    color_weights: Floats  # [J]


class BatchRenderer:
    """Draws on one device; one thread at a time.

    Args:
        device: where; by default the first GPU.
        rasterizer: by default gsplat's.
        driver: what derives colour weights from what the face does.

    Raises:
        Unavailable: there is no GPU, or gsplat is missing.
    """

    def __init__(
        self,
        device: str = "cuda",
        *,
        rasterizer: Rasterizer | None = None,
        driver: Driver | None = None,
    ) -> None:
        self._rasterize = rasterizer if rasterizer is not None else GsplatRasterizer()
        self._device = torch.device(device)
        self._driver = driver if driver is not None else FaceDriver()

    def upload(self, scene: Scene) -> DeviceScene:
        """
        Raises:
            BadInput: the scene has no background; with alpha, only the CPU draws.
        """
        if scene.background.transparent:
            raise BadInput(
                "Pictures with alpha are not drawn on a GPU.", remedy="Draw them on the CPU."
            )
        return DeviceScene.of(scene, self._device)

    def yuv420p(self, frames: Sequence[tuple[DeviceScene, Pose]]) -> Bytes:  # [B, 3 H / 2, W]
        """Pictures over their plates, in order, as `SplatRenderer.yuv420p`.

        Raises:
            BadInput: the frames are of different views, or there are none.
        """
        return self._fetched(to_yuv420p(self.rgb(frames)))

    def nv12(self, frames: Sequence[tuple[DeviceScene, Pose]]) -> Bytes:  # [B, 3 H / 2, W]
        """The same for hardware encoders. Raises as `yuv420p`."""
        return self._fetched(to_nv12(self.rgb(frames)))

    @torch.no_grad()
    def rgb(self, frames: Sequence[tuple[DeviceScene, Pose]]) -> Tensor:  # [B, 3, H, W]
        """Over their plates, sRGB 0..1, on the device. Raises as `yuv420p`."""
        colors, transmittance = self.premultiplied(frames)
        return colors.permute(0, 3, 1, 2) + transmittance[:, None] * self.plates(frames)

    def plates(self, frames: Sequence[tuple[DeviceScene, Pose]]) -> Tensor:  # [B, 3, H, W]
        """The plates with the torso where each pose has it, sRGB 0..1."""
        scenes = [scene for scene, _ in frames]
        shifts = [one.scene.on_picture(one.scene.torso_shift(pose)) for one, pose in frames]
        torso = torch.stack([scene.torso for scene in scenes])
        height, width = torso.shape[2:]
        moved = torch.tensor(shifts, dtype=torch.float32, device=self._device)  # [B, 2] px
        moved = torch.stack([scene.shares for scene in scenes])[:, :, None] * moved[:, None]
        x = torch.arange(width, device=self._device) - moved[:, None, :, 0]
        y = torch.arange(height, device=self._device)[:, None] - moved[:, None, :, 1]
        grid = torch.stack(
            [2 * x.expand(-1, height, -1) / (width - 1) - 1, 2 * y / (height - 1) - 1], 3
        )
        there = torch.nn.functional.grid_sample(
            torso, grid, padding_mode="border", align_corners=True
        )
        behind = torch.stack([scene.behind for scene in scenes])
        return there[:, :3] + (1 - there[:, 3:]) * behind

    def premultiplied(self, frames: Sequence[tuple[DeviceScene, Pose]]) -> tuple[Tensor, Tensor]:
        """Colours `# [B, H, W, 3]` and transmittance `# [B, H, W]` of the splats alone.

        Raises:
            BadInput: the frames are of different views, or there are none.
        """
        views = {scene.scene.view for scene, _ in frames}
        focals = {float(scene.scene.focal_px) for scene, _ in frames}
        if len(views) != 1 or len(focals) != 1:
            raise BadInput("Frames that are drawn together have one view and one focal length.")
        first = frames[0][0].scene
        return self._rasterize(
            self._placed(frames),
            focal_px=float(first.focal_px),
            view=first.view,
            low_pass_px2=float(first.low_pass),
        )

    def _placed(self, frames: Sequence[tuple[DeviceScene, Pose]]) -> Placed:
        """All Gaussians, in the order of the frames: avatar by avatar, then put in order."""
        by_scene: dict[int, list[int]] = {}
        for number, (scene, _) in enumerate(frames):
            by_scene.setdefault(id(scene), []).append(number)
        largest = max(len(scene) for scene, _ in frames)
        parts, order = [], []
        for numbers in by_scene.values():
            scene = frames[numbers[0]][0]
            poses = [frames[number][1] for number in numbers]
            parts.append(self._placed_alike(scene, poses).padded(largest))
            order += numbers
        back = torch.tensor(np.argsort(order), device=self._device)
        return Placed(
            *(
                torch.cat([getattr(part, name) for part in parts])[back]
                for name in ("means", "covariances", "opacities", "colors")
            )
        )

    def _placed_alike(self, scene: DeviceScene, poses: Sequence[Pose]) -> Placed:
        deformed = [self._deformed(scene.scene, pose) for pose in poses]
        return place(
            scene,
            self._there([one.vertices for one in deformed]),
            self._there([one.still for one in deformed]),
            self._there([one.moved for one in deformed]),
            self._there([one.color_weights for one in deformed]),
        )

    def _deformed(self, scene: Scene, pose: Pose) -> _Deformed:
        """
        Raises:
            BadInput: the pose does not belong to this scene's model.
        """
        weights = shape_weights_of(pose, scene.model)
        vertices = scene.vertices.copy()
        columns = scene.shapes
        geometry.deform(columns.offsets, columns.ids, columns.vectors, weights, vertices)
        still = geometry.torso_affine(scene.model.surface, scene.torso_shift(pose))
        moved = geometry.head_affine(scene.model.surface, pose.rotation, pose.translation)
        colors = color_weights_of(pose, scene.model, self._driver, weights, vertices)
        return _Deformed(vertices, still, moved, colors)

    def _there(self, arrays: Sequence[Floats]) -> Tensor:
        return torch.as_tensor(np.stack(arrays), device=self._device)

    @staticmethod
    def _fetched(planes: Tensor) -> Bytes:
        fetched: Bytes = planes.cpu().numpy()
        return fetched
