"""Solving for colours: the render of one pose as a linear map of the Gaussians' colours.

A picture is `A @ colors + transmittance * plate`, with A the blend weights [pixels, N]. A fit
needs A and its transpose, never A itself: `render` applies the one, `gather` the other. Geometry
is laid out once, so an iteration costs two passes over the tiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.render import splats
from lipstream.render.driver import Driver, FaceDriver
from lipstream.render.frame import Frame
from lipstream.render.pose import Pose
from lipstream.render.renderer import blend_float
from lipstream.render.scene import Scene

__all__ = ["ColorMap", "Gathered"]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What each Gaussian collected from a picture; zeros where it is not drawn."""

    residual: Floats  # [N, 3] sum over pixels of blend weight x residual
    weight: Floats  # [N] sum over pixels of blend weight


class ColorMap:
    """The linear map from colours to the picture, at one pose.

    Colour shapes are left out: `colors` are the final ones at this pose.

    Args:
        scene: the model packed at that size, where many poses share it.

    Attributes:
        transmittance: [S, S] what shows of the plate.

    Raises:
        BadInput: size, model or pose cannot be used (see `SplatRenderer`).
    """

    def __init__(
        self,
        model: AvatarModel,
        pose: Pose,
        size_px: int = splats.REFERENCE_SIZE_PX,
        *,
        driver: Driver | None = None,
        scene: Scene | None = None,
    ) -> None:
        self._scene = scene if scene is not None else Scene.of(model, size_px)
        self._driver = driver if driver is not None else FaceDriver()
        self._frame = Frame(self._scene, self._driver)
        self._pose = pose
        self._frame.lay_out(pose)
        self.transmittance: Floats = blend_float(self._frame)[..., 3]

    @property
    def drawn(self) -> int:
        """How many splats reach the picture."""
        return self._frame.count

    @property
    def tint_weights(self) -> Floats:  # [J]
        """Weights that the driver gives the colour shapes at this pose."""
        return self._driver.color_weights(
            self._scene.model, self._pose.shape_weights, self._frame.head_vertices
        )

    def render(self, colors: Floats, plate: Floats | None = None) -> Floats:
        """[N, 3] sRGB -> [S, S, 3], unrounded and unclipped.

        Args:
            plate: what is behind, `# [S, S, 3]` 0..1; the model's own by default.
        """
        if colors.shape != self._scene.colors.shape:
            raise BadInput(
                f"Colours have shape {colors.shape}; {self._scene.colors.shape} was expected."
            )
        self._frame.recolor(np.asarray(colors, np.float32))
        if plate is None:
            own = self._frame.plate(self._pose, yuv=False).rgb
            plate = own.astype(np.float32) / np.float32(255)
        drawn = blend_float(self._frame)[..., :3]
        return np.asarray(drawn + self.transmittance[..., None] * plate, np.float32)

    def gather(self, residual: Floats) -> Gathered:
        """[S, S, 3] -> what each Gaussian's weights collect from it."""
        size = self._scene.size.width_px
        if residual.shape != (size, size, 3):
            raise BadInput(
                f"The residual has shape {residual.shape}; ({size}, {size}, 3) was expected."
            )
        frame = self._frame
        out = np.empty((len(self._scene.colors), 4), np.float32)
        splats.gather(
            frame.splats,
            frame.members,
            frame.masks,
            frame.starts,
            frame.sources,
            np.array(residual, np.float32, order="C"),
            np.empty(splats.longest_list(frame.starts) * splats.SUMS_WIDTH, np.float32),
            out,
        )
        return Gathered(out[:, :3], out[:, 3])
