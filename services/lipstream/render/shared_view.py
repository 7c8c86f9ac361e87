"""One avatar in one view, laid out once for all threads that draw it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

from lipstream.render.interface import Renderer

__all__ = ["SharedView"]


class SharedView:
    """Any thread may ask; those that ask while it is laid out wait for it."""

    def __init__(self) -> None:
        self._first: Renderer | None = None  # never draws: its buffers take no memory
        self._lent: list[weakref.ref[Renderer]] = []
        self._lock = threading.Lock()

    def renderer(self, lay_out: Callable[[], Renderer]) -> Renderer:
        """A renderer for the calling thread's use.

        Args:
            lay_out: opens the first. Whatever it raises is raised here.
        """
        with self._lock:
            if self._first is None:
                self._first = lay_out()
            renderer = self._first.sibling()
            self._lent = [lent for lent in self._lent if lent() is not None]
            if renderer is not self._first:
                self._lent.append(weakref.ref(renderer))
            return renderer

    @property
    def in_use(self) -> bool:
        """Whether a renderer that was handed out is still there."""
        return any(lent() is not None for lent in self._lent)
