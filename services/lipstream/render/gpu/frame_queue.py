"""Frames of many threads, drawn together.

A GPU draws sixty frames in little more time than one. So whoever asks waits in a queue, and while
one call runs, the next ones gather: a busy device gets large batches, an idle one no delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Self, TypeAlias

from lipstream.errors import Unavailable
from lipstream.render.gpu.batch_renderer import BatchRenderer
from lipstream.render.gpu.device_scene import DeviceScene
from lipstream.render.pose import Pose
from lipstream.render.scene import Scene
from lipstream.render.splats import Bytes

__all__ = ["FrameQueue"]

_Ticket: TypeAlias = tuple[DeviceScene, Pose, "Future[Bytes]"]


class FrameQueue:
    """Owns the device's renderer and the one thread that uses it. A context manager.

    Args:
        most: frames in one call, which bounds the device's memory: about 60 MB each at 512 px.
    """

    def __init__(self, renderer: BatchRenderer, most: int = 64) -> None:
        self._renderer = renderer
        self._most = most
        self._waiting: SimpleQueue[_Ticket | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="draw-on-device", daemon=True)
        self._thread.start()
        self._open = True

    def upload(self, scene: Scene) -> DeviceScene:
        return self._renderer.upload(scene)

    def yuv420p(self, scene: DeviceScene, pose: Pose) -> Bytes:  # [3 S / 2, S]
        """The picture over its plate; waits until it is drawn.

        Raises:
            Unavailable: the queue is closed.
        """
        if not self._open:
            raise Unavailable("The renderer is closing.", remedy="Try again.")
        future: Future[Bytes] = Future()
        self._waiting.put((scene, pose, future))
        return future.result()

    def close(self) -> None:
        """Draw what waits, then end."""
        self._open = False
        self._waiting.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            ticket = self._waiting.get()
            batch: list[_Ticket] = []
            while ticket is not None:
                batch.append(ticket)
                if len(batch) == self._most:
                    break
                try:
                    ticket = self._waiting.get_nowait()
                except Empty:
                    break
            by_size: dict[tuple[int, float], list[_Ticket]] = {}
            for own in batch:
                scene = own[0].scene
                by_size.setdefault((scene.size_px, float(scene.focal_px)), []).append(own)
            for alike in by_size.values():
                self._draw(alike)
            if ticket is None:
                return

    def _draw(self, tickets: Sequence[_Ticket]) -> None:
        try:
            pictures = self._renderer.yuv420p([(scene, pose) for scene, pose, _ in tickets])
        except BaseException as error:  # whoever waits gets it
            for _, _, future in tickets:
                future.set_exception(error)
            return
        for picture, (_, _, future) in zip(pictures, tickets, strict=True):
            future.set_result(picture)
