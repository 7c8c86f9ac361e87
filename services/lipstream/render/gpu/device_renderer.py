"""An avatar's pictures from the device that all of a process's renderers share."""

from __future__ import annotations

from dataclasses import replace

from lipstream.face.model import SPLATS, AvatarModel
from lipstream.face.motion import Motion
from lipstream.render.driver import Driver
from lipstream.render.gpu.device_scene import DeviceScene
from lipstream.render.gpu.frame_queue import FrameQueue
from lipstream.render.interface import Renderer, View
from lipstream.render.layout import Layout
from lipstream.render.pose import Pose
from lipstream.render.registry import open_splats, register_renderer, renderer_kind
from lipstream.render.renderer import SplatRenderer
from lipstream.render.splats import Bytes
from lipstream.wire.output import PictureSize

__all__ = ["DeviceRenderer", "draw_splats_on"]


class DeviceRenderer:
    """A `render.interface.Renderer`: YUV420P over the view's own background comes from the device.

    What the device does not draw (other layouts, alpha, a background that moves) comes from the
    processor, and looks the same.

    Args:
        renderer: the avatar in its view.
        queue: of the device; it outlives the renderer.
        scene: the same avatar on the device, where a sibling has put it there.
    """

    def __init__(
        self, renderer: SplatRenderer, queue: FrameQueue, scene: DeviceScene | None = None
    ) -> None:
        self._renderer = renderer
        self._queue = queue
        self._scene = scene
        if scene is None and not renderer.scene.background.transparent:
            self._scene = queue.upload(renderer.scene)

    @property
    def size(self) -> PictureSize:
        return self._renderer.size

    def sibling(self) -> DeviceRenderer:
        """Another renderer of the same scene, for another thread."""
        return DeviceRenderer(self._renderer.sibling(), self._queue, self._scene)

    def pose(self, motion: Motion, frame: int = 0) -> Pose:
        """As `SplatRenderer.pose`."""
        return self._renderer.pose(motion, frame)

    def picture(
        self, pose: Pose, layout: Layout, out: Bytes | None = None, behind: Bytes | None = None
    ) -> Bytes:
        """As `SplatRenderer.picture`; drawn together with what other threads ask for meanwhile.

        Raises:
            Unavailable: the queue is closed.
        """
        if self._scene is None or layout is not Layout.YUV420P or behind is not None:
            return self._renderer.picture(pose, layout, out, behind)
        drawn = self._queue.yuv420p(self._scene, pose)
        if out is None:
            return drawn
        out[...] = drawn
        return out

    def yuva420p(self, pose: Pose, *, straight: bool = True) -> Bytes:
        """As `SplatRenderer.yuva420p`, from the processor."""
        return self._renderer.yuva420p(pose, straight=straight)


def draw_splats_on(queue: FrameQueue) -> None:
    """Have this process draw its avatars of splats on the queue's device from now on."""

    def opened(model: AvatarModel, view: View, driver: Driver | None) -> Renderer:
        own = open_splats(model, view, driver)
        # A driver of the caller's own also colours, which the queue does not know.
        return DeviceRenderer(own, queue) if driver is None else own

    register_renderer(SPLATS, replace(renderer_kind(SPLATS), open=opened))
