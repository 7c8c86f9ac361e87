"""Frames of many threads, drawn together on one device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, TypeAlias

from lipstream.render.gpu.batch_renderer import BatchRenderer
from lipstream.render.gpu.device_scene import DeviceScene
from lipstream.render.pose import Pose
from lipstream.render.scene import Scene
from lipstream.render.splats import Bytes
from lipstream.render.view import View
from lipstream.runtime.combiner import Combiner

__all__ = ["FrameQueue"]

_Frame: TypeAlias = tuple[DeviceScene, Pose]


class FrameQueue:
    """Owns the device's renderer and the one thread that uses it. A context manager.

    Args:
        most: frames in one call, which bounds the device's memory: about 60 MB each at 512 px.
    """

    def __init__(self, renderer: BatchRenderer, most: int = 64) -> None:
        self._renderer = renderer
        self._combiner = Combiner(self._drawn, most=most, name="draw-on-device")

    def upload(self, scene: Scene) -> DeviceScene:
        return self._renderer.upload(scene)

    def yuv420p(self, scene: DeviceScene, pose: Pose) -> Bytes:  # [3 S / 2, S]
        """The picture over its plate; waits until it is drawn.

        Raises:
            Unavailable: the queue is closed.
        """
        return self._combiner((scene, pose))

    def close(self) -> None:
        """Draw what waits, then end."""
        self._combiner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _drawn(self, frames: Sequence[_Frame]) -> list[Bytes]:
        alike: dict[tuple[View, float], list[int]] = {}
        for number, (scene, _) in enumerate(frames):
            kind = (scene.scene.view, float(scene.scene.focal_px))
            alike.setdefault(kind, []).append(number)
        pictures: dict[int, Bytes] = {}
        for numbers in alike.values():
            drawn = self._renderer.yuv420p([frames[number] for number in numbers])
            pictures.update(zip(numbers, drawn, strict=True))
        return [pictures[number] for number in range(len(frames))]
