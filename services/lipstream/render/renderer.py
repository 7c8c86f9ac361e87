"""Draw an avatar: one frame of motion in, one picture out."""

from __future__ import annotations

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats, Motion
from lipstream.render import splats
from lipstream.render.driver import Driver, FaceDriver
from lipstream.render.frame import Frame
from lipstream.render.pose import Pose
from lipstream.render.scene import Scene
from lipstream.render.splats import Bytes

__all__ = ["SplatRenderer"]


class SplatRenderer:
    """Draws one avatar at one size, on the calling thread.

    A renderer reuses its buffers: it serves one thread at a time, and a picture that it returns
    is overwritten by its next picture of the same kind, unless the caller passed `out` or copies.
    For more threads take a `sibling` each; they share the packed avatar.

    Args:
        model: the avatar.
        size_px: side of the picture, even, 64 to 1080. Speed is tuned for 512.
        driver: what maps motion to the model's shapes; the face rig's own by default.

    Raises:
        BadInput: the size cannot be drawn, or the model contradicts itself.
    """

    def __init__(
        self,
        model: AvatarModel,
        size_px: int = splats.REFERENCE_SIZE_PX,
        *,
        driver: Driver | None = None,
        scene: Scene | None = None,
    ) -> None:
        self.scene = scene if scene is not None else Scene.of(model, size_px)
        self.driver = driver if driver is not None else FaceDriver()
        self._frame = Frame(self.scene, self.driver)
        size = self.scene.size_px
        self._yuv = np.empty((size * 3 // 2, size), np.uint8)
        self._rgb: Bytes | None = None

    @property
    def model(self) -> AvatarModel:
        return self.scene.model

    @property
    def size_px(self) -> int:
        return self.scene.size_px

    def sibling(self) -> SplatRenderer:
        """Another renderer of the same scene, for another thread."""
        return SplatRenderer(self.model, self.size_px, driver=self.driver, scene=self.scene)

    def pose(self, motion: Motion, frame: int = 0) -> Pose:
        """The pose of one frame of motion.

        Raises:
            BadInput: the motion has no such frame.
        """
        if not 0 <= frame < len(motion):
            raise BadInput(f"Frame {frame} of a motion of {len(motion)} frames was asked for.")
        weights = self.driver.shape_weights(
            self.model, motion.blendshapes[frame], motion.gaze[frame]
        )
        return Pose(weights, motion.rotation[frame], motion.translation[frame])

    def yuv420p(self, pose: Pose, out: Bytes | None = None) -> Bytes:
        """Over the plate, as planes Y, U, V one below the other: [3 S / 2, S].

        BT.709, limited range, chroma centred: what `video.VideoWriter` takes.
        """
        target = self._target(out, self._yuv)
        self._frame.lay_out(pose)
        frame, plate, size = self._frame, self.scene.plate, self.size_px
        flat = target.reshape(-1)
        chroma = flat[size * size :].reshape(2, size // 2, size // 2)
        splats.blend_yuv420p(
            frame.splats,
            frame.bounds,
            frame.members,
            frame.starts,
            plate.y,
            plate.u,
            plate.v,
            flat[: size * size].reshape(size, size),
            chroma[0],
            chroma[1],
        )
        return target

    def rgb(self, pose: Pose, out: Bytes | None = None) -> Bytes:
        """Over the plate: [S, S, 3] sRGB."""
        if self._rgb is None:
            self._rgb = np.empty((self.size_px, self.size_px, 3), np.uint8)
        target = self._target(out, self._rgb)
        self._frame.lay_out(pose)
        frame = self._frame
        splats.blend_rgb(
            frame.splats, frame.bounds, frame.members, frame.starts, self.scene.plate.rgb, target
        )
        return target

    def rgba(self, pose: Pose, *, plate: bool = True) -> Bytes:
        """A new picture [S, S, 4], sRGB with straight alpha.

        Over the plate it is opaque; without the plate the head alone is cut out.
        """
        if plate:
            rgb = self.rgb(pose)
            return np.concatenate([rgb, np.full_like(rgb[..., :1], 255)], axis=-1)
        drawn = self.premultiplied(pose)
        alpha = 1 - drawn[..., 3:]
        straight = drawn[..., :3] / np.maximum(alpha, 1e-6)
        picture = np.clip(np.concatenate([straight, alpha], axis=-1), 0, 1)
        rounded: Bytes = np.rint(picture * 255).astype(np.uint8)
        return rounded

    def premultiplied(self, pose: Pose) -> Floats:
        """The splats alone, unrounded, a new array [S, S, 4].

        Red, green, blue are sRGB 0..1 times coverage; the fourth is the transmittance, so that
        `picture = rgb + transmittance * background`.
        """
        self._frame.lay_out(pose)
        return blend_float(self._frame)

    def _target(self, out: Bytes | None, own: Bytes) -> Bytes:
        if out is None:
            return own
        if out.shape != own.shape or out.dtype != np.uint8 or not out.flags.c_contiguous:
            raise BadInput(
                f"`out` must be a contiguous uint8 array of shape {own.shape}, not {out.shape}."
            )
        return out


def blend_float(frame: Frame) -> Floats:
    """Blend a frame that is laid out: [S, S, 4], see `SplatRenderer.premultiplied`."""
    size = frame.scene.size_px
    out = np.empty((size, size, 4), np.float32)
    splats.blend_float(frame.splats, frame.bounds, frame.members, frame.starts, out)
    return out
