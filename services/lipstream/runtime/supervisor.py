"""Keeps a set of processes running, and ends them all, in order, when it is told to or dies."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lipstream.errors import LipstreamError, Unavailable
from lipstream.runtime.child import Child, Component

__all__ = ["START_TIMEOUT_S", "Supervisor"]

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 240.0
"""For a machine that is slow, busy, or compiles all for the first time: a process that fails is
known by its end, and this is for one that hangs."""
_POLL_S = 0.03
_EARLY_DEATHS = 3


class Supervisor:
    """Runs components until `stop`. Use it as a context.

    One thread starts, watches and stops the processes: the kernel ends a process when the
    thread that started it ends, so that thread must live as long as they do.

    Args:
        log_dir: gets one file of output a component.
        stop_s: how long components may take to end before they are killed.
    """

    def __init__(
        self, components: Sequence[Component], log_dir: Path, *, stop_s: float = 8.0
    ) -> None:
        log_dir.mkdir(parents=True, exist_ok=True)
        self._children = {c.name: Child(c, log_dir / f"{c.name}.log") for c in components}
        self._stop_s = stop_s
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._failure: LipstreamError | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start all components and wait until each was ready.

        Raises:
            Unavailable: one keeps ending before it is ready, or they take too long. Everything is
                stopped again.
        """
        for child in self._children.values():
            child.log.write_bytes(b"")
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()
        try:
            started = self._ready.wait(timeout_s)
        except BaseException:
            self.stop()
            raise
        if self._failure is None and not started:
            late = [name for name, child in self._children.items() if not child.was_ready]
            self._failure = Unavailable(
                f"{', '.join(late)} did not become ready within {timeout_s:g} s.",
                remedy=f"See the logs in {self._log_dir}.",
                code="stack_failed",
            )
        if self._failure is not None:
            self.stop()
            raise self._failure

    def stop(self) -> None:
        """End all components and wait for that. May be called again."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def pids(self) -> dict[str, int]:
        """Processes that run now, by component."""
        pids = {name: child.pid for name, child in self._children.items()}
        return {name: pid for name, pid in pids.items() if pid is not None}

    @property
    def restarts(self) -> dict[str, int]:
        """How often each component had to be started again."""
        return {name: child.restarts for name, child in self._children.items()}

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until `stop` is called elsewhere; say whether it was."""
        return self._stopping.wait(timeout_s)

    @property
    def _log_dir(self) -> Path:
        return next(iter(self._children.values())).log.parent

    def _run(self) -> None:
        try:
            for child in self._children.values():
                child.start()
            while not self._stopping.wait(_POLL_S):
                self._tend()
        except Exception as error:
            logger.exception("the supervisor failed")
            self._failure = Unavailable(
                f"A process could not be started: {error}.", code="stack_failed"
            )
            self._ready.set()
        finally:
            self._stop_children()

    def _tend(self) -> None:
        for name, child in self._children.items():
            if not child.running and not child.was_ready and child.restarts + 1 >= _EARLY_DEATHS:
                self._failure = self._failure or Unavailable(
                    f"{name} ended with code {child.exit_code} before it was ready: "
                    f"{child.last_words()}",
                    remedy=f"See {child.log}.",
                    code="stack_failed",
                )
                self._ready.set()
                continue
            if child.tend():
                logger.warning("%s ended and was started again", name)
        if not self._ready.is_set() and all(
            child.was_ready or child.is_ready() for child in self._children.values()
        ):
            self._ready.set()

    def _stop_children(self) -> None:
        """Those of the highest order first; each order gets what is left of the time."""
        give_up_s = time.monotonic() + self._stop_s
        orders = sorted({c.component.order for c in self._children.values()}, reverse=True)
        for order in orders:
            group = [c for c in self._children.values() if c.component.order == order]
            for child in group:
                child.signal(signal.SIGTERM)
            for child in group:
                if not child.wait(give_up_s - time.monotonic()):
                    logger.warning("%s did not stop; killing it", child.component.name)
                    child.signal(signal.SIGKILL)
                    child.wait(5.0)
