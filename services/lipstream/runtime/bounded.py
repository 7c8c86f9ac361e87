"""Calls in a process of its own, bounded in time and memory: for files that anybody may have sent.

A decoder that hangs, crashes or wants all memory takes down that process and nothing else; what the
caller gets is a refusal. The process knows none of the environment's secrets. It is kept for the
next call, since its imports cost more than most files.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Any

from lipstream.errors import BadInput, Internal, LipstreamError, NotFound, TooLarge, Unavailable

__all__ = ["BoundedCalls"]

_ERRORS: dict[str, type[LipstreamError]] = {
    kind.__name__: kind for kind in (BadInput, Internal, NotFound, TooLarge, Unavailable)
}
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
_REMEDY = "Save or export it again with a common program, or send a smaller one."


class BoundedCalls:
    """One process, started when it is first needed; calls wait for each other.

    Args:
        memory_bytes: what it may take, beside its programs' own code.
        wall_s: how long a call may last.
    """

    def __init__(self, *, memory_bytes: int = 2_000_000_000, wall_s: float = 120.0) -> None:
        self._memory_bytes = memory_bytes
        self._wall_s = wall_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, function: str, *arguments: Any) -> Any:
        """What a function returns.

        Args:
            function: `module:name`.
            arguments: JSON, as is what it returns.

        Raises:
            LipstreamError: what the function raised.
            BadInput: it took too long, too much memory, or crashed.
        """
        request = json.dumps({"function": function, "arguments": arguments}).encode() + b"\n"
        with self._lock:
            answer = self._asked(request)
        error = answer.get("error")
        if error is not None:
            kind = _ERRORS.get(error.pop("kind"), Internal)
            raise kind(error.pop("message"), **error)
        return answer["result"]

    @property
    def pid(self) -> int | None:
        """Of the process, where there is one."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _asked(self, request: bytes) -> dict[str, Any]:
        give_up_s = time.monotonic() + self._wall_s
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(request)
            process.stdin.flush()
            line = _line(process.stdout, give_up_s)
        except BrokenPipeError:
            line = b""
        except TimeoutError:
            self._end()
            raise _refusal("it takes too long") from None
        except BaseException:
            self._end()
            raise
        if not line.endswith(b"\n"):
            self._end()
            code = process.returncode
            raise _refusal("it takes too long" if code == -signal.SIGXCPU else "its decoder failed")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
            self._process = subprocess.Popen(
                (
                    *(sys.executable, "-m", "lipstream.runtime.bounded_child"),
                    *(str(self._memory_bytes), str(max(1, round(self._wall_s)))),
                ),
                env={**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _line(pipe: IO[bytes], give_up_s: float) -> bytes:
    """Up to a line's end, or to the pipe's.

    Raises:
        TimeoutError: it did not come in time.
    """
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, give_up_s - time.monotonic())):
                raise TimeoutError
            piece = os.read(pipe.fileno(), 65_536)
            if not piece:
                return line
            line += piece
    return line


def _refusal(why: str) -> BadInput:
    return BadInput(f"The file cannot be read: {why}.", remedy=_REMEDY, code="unreadable_media")
