"""Draw an avatar: one frame of motion in, one picture out."""

from __future__ import annotations

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats, Motion
from lipstream.render import splats
from lipstream.render.background import Background
from lipstream.render.driver import Driver, FaceDriver
from lipstream.render.frame import Frame
from lipstream.render.layout import Layout
from lipstream.render.pose import Pose
from lipstream.render.scene import Scene
from lipstream.render.splats import Bytes
from lipstream.wire.output import PictureSize

__all__ = ["SplatRenderer"]


class SplatRenderer:
    """Draws one avatar in one view, on the calling thread.

    A renderer reuses its buffers: it serves one thread at a time, and a picture that it returns
    is overwritten by its next picture of the same layout, unless the caller passed `out` or
    copies. For more threads take a `sibling` each; they share the packed avatar.

    Args:
        model: the avatar.
        size_px: side of a square picture, or its width and height. Speed is tuned for 512.
        background: what stands behind the person; the photo's own by default.
        driver: what maps motion to the model's shapes; the face rig's own by default.

    Raises:
        BadInput: the size cannot be drawn, the model contradicts itself, or it does not know its
            person from its background.
    """

    def __init__(
        self,
        model: AvatarModel,
        size_px: int | PictureSize = splats.REFERENCE_SIZE_PX,
        *,
        background: Background | None = None,
        driver: Driver | None = None,
        scene: Scene | None = None,
    ) -> None:
        self.scene = scene if scene is not None else Scene.of(model, size_px, background)
        self.driver = driver if driver is not None else FaceDriver()
        self._frame = Frame(self.scene, self.driver)
        self._own: dict[Layout, Bytes] = {}

    @property
    def model(self) -> AvatarModel:
        return self.scene.model

    @property
    def size(self) -> PictureSize:
        return self.scene.size

    def sibling(self) -> SplatRenderer:
        """Another renderer of the same scene, for another thread."""
        return SplatRenderer(self.model, driver=self.driver, scene=self.scene)

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

    def picture(
        self, pose: Pose, layout: Layout, out: Bytes | None = None, behind: Bytes | None = None
    ) -> Bytes:
        """Before its background, in any layout.

        Args:
            behind: the background of this frame `# [H, W, 3]`, instead of the scene's.
        """
        match layout:
            case Layout.YUV420P:
                return self.yuv420p(pose, out, behind)
            case Layout.YUVA420P:
                return self.yuva420p(pose, out, behind)
            case Layout.RGB:
                return self.rgb(pose, out, behind)
            case Layout.RGBA:
                return self.rgba(pose, out, behind)

    def yuv420p(self, pose: Pose, out: Bytes | None = None, behind: Bytes | None = None) -> Bytes:
        """Planes Y, U, V one below the other: [3 H / 2, W].

        BT.709, limited range, chroma centred: what `video.VideoWriter` takes.
        """
        target = self._target(Layout.YUV420P, out)
        plate = self._frame.plate(pose, yuv=True, behind=behind)
        self._frame.lay_out(pose, yuv=True)
        frame = self._frame
        splats.blend_yuv420p(
            frame.splats,
            frame.members,
            frame.masks,
            frame.starts,
            frame.near,
            plate.y,
            plate.u,
            plate.v,
            *_planes(target, self.size),
        )
        return target

    def yuva420p(
        self,
        pose: Pose,
        out: Bytes | None = None,
        behind: Bytes | None = None,
        *,
        straight: bool = True,
    ) -> Bytes:
        """The same with alpha, in full range, as the last plane: [5 H / 2, W].

        Args:
            straight: colours as they are; otherwise over black, that is times alpha.
        """
        target = self._target(Layout.YUVA420P, out)
        plate = self._frame.plate(pose, yuv=True, behind=behind)
        self._frame.lay_out(pose, yuv=True)
        frame, height = self._frame, self.size.height_px
        splats.blend_yuva420p(
            frame.splats,
            frame.members,
            frame.masks,
            frame.starts,
            frame.near,
            plate.y,
            plate.u,
            plate.v,
            plate.alpha,
            straight,
            *_planes(target, self.size),
            target[height * 3 // 2 :],
        )
        return target

    def rgb(self, pose: Pose, out: Bytes | None = None, behind: Bytes | None = None) -> Bytes:
        """[H, W, 3] sRGB."""
        target = self._target(Layout.RGB, out)
        plate = self._frame.plate(pose, yuv=False, behind=behind)
        self._frame.lay_out(pose)
        frame = self._frame
        splats.blend_rgb(
            frame.splats, frame.members, frame.masks, frame.starts, frame.near, plate.rgb, target
        )
        return target

    def rgba(self, pose: Pose, out: Bytes | None = None, behind: Bytes | None = None) -> Bytes:
        """[H, W, 4] sRGB with straight alpha; opaque unless the background is none."""
        target = self._target(Layout.RGBA, out)
        plate = self._frame.plate(pose, yuv=False, behind=behind)
        self._frame.lay_out(pose)
        frame = self._frame
        splats.blend_rgba(
            frame.splats,
            frame.members,
            frame.masks,
            frame.starts,
            frame.near,
            plate.rgb,
            plate.alpha,
            target,
        )
        return target

    def premultiplied(self, pose: Pose) -> Floats:
        """The splats alone, unrounded, a new array [H, W, 4].

        Red, green, blue are sRGB 0..1 times coverage; the fourth is the transmittance, so that
        `picture = rgb + transmittance * background`.
        """
        self._frame.lay_out(pose)
        return blend_float(self._frame)

    def _target(self, layout: Layout, out: Bytes | None) -> Bytes:
        shape = layout.shape(self.size)
        if out is None:
            if layout not in self._own:
                self._own[layout] = np.empty(shape, np.uint8)
            return self._own[layout]
        if out.shape != shape or out.dtype != np.uint8 or not out.flags.c_contiguous:
            raise BadInput(
                f"`out` must be a contiguous uint8 array of shape {shape}, not {out.shape}."
            )
        return out


def _planes(picture: Bytes, size: PictureSize) -> tuple[Bytes, Bytes, Bytes]:
    """Y [H, W], U and V [H / 2, W / 2] of a picture that begins with them."""
    width, height = size.width_px, size.height_px
    flat = picture.reshape(-1)
    luma, chroma = width * height, width * height // 4
    half = height // 2, width // 2
    return (
        flat[:luma].reshape(height, width),
        flat[luma : luma + chroma].reshape(half),
        flat[luma + chroma : luma + 2 * chroma].reshape(half),
    )


def blend_float(frame: Frame) -> Floats:
    """Blend a frame that is laid out: [H, W, 4], see `SplatRenderer.premultiplied`."""
    out = np.empty(Layout.RGBA.shape(frame.scene.size), np.float32)
    splats.blend_float(frame.splats, frame.members, frame.masks, frame.starts, frame.near, out)
    return out
