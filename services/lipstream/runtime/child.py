"""One process of a local stack: start, watch, restart, stop."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lipstream.runtime import leash

__all__ = ["Child", "Component"]

_LONG_LIFE_S = 20.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_TAIL_BYTES = 4000


@dataclass(frozen=True, slots=True)
class Component:
    """What a stack runs as one process.

    A component of a higher `order` stops before one of a lower order; all start together.
    """

    name: str
    argv: tuple[str, ...]
    ready: Callable[[], bool]
    """Asked often; must answer within about a second."""
    env: Mapping[str, str] = field(default_factory=dict)
    """In addition to the environment of the supervisor."""
    order: int = 0
    death_signal: int = signal.SIGKILL
    """What it gets when the supervisor is killed."""


class Child:
    """A component's process. All methods are called from one thread, the supervisor's.

    Its output goes to a file, which is begun anew for each stack.
    """

    def __init__(self, component: Component, log: Path) -> None:
        self.component = component
        self.log = log
        self.restarts = 0
        self.was_ready = False
        self._process: subprocess.Popen[bytes] | None = None
        self._began_s = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self._restart_at_s: float | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    def start(self) -> None:
        component = self.component
        launcher = (sys.executable, "-I", "-S", str(Path(leash.__file__)))
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                (
                    *launcher,
                    str(int(component.death_signal)),
                    str(os.getpid()),
                    *component.argv,
                ),
                env={**os.environ, **component.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal is for the supervisor, which stops all in order.
                start_new_session=True,
            )
        self._began_s = time.monotonic()
        self._restart_at_s = None

    def is_ready(self) -> bool:
        ready = self.running and self.component.ready()
        self.was_ready = self.was_ready or ready
        return ready

    def tend(self) -> bool:
        """Start it again if it ended, after a pause that grows; say whether it was started."""
        if self.running:
            return False
        now_s = time.monotonic()
        if self._restart_at_s is None:
            if now_s - self._began_s > _LONG_LIFE_S:
                self._pause_s = _FIRST_PAUSE_S
            self._restart_at_s = now_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        if now_s < self._restart_at_s:
            return False
        self.restarts += 1
        self.start()
        return True

    def signal(self, number: int) -> None:
        if self._process is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; say whether it came."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, timeout_s))
        except subprocess.TimeoutExpired:
            return False
        return True

    def last_words(self) -> str:
        """The last line of its output."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
                lines = file.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1][:500] if lines else ""
