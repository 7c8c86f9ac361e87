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
from collections.abc import Callable, Generator, Sequence
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
        self._answers: _Answers | None = None

    def call(self, function: str, *arguments: Any) -> Any:
        """What a function returns.

        Args:
            function: `module:name`.
            arguments: JSON, as is what it returns.

        Raises:
            LipstreamError: what the function raised.
            BadInput: it took too long, too much memory, or crashed.
        """
        with self._lock:
            self._ask(function, arguments)
            return self._result()

    def pieces(self, function: str, *arguments: Any) -> Generator[bytes, None, None]:
        """What a generator of bytes gives, as it is asked for; each piece may last as long as a
        call. One that is closed early ends the process.

        Raises:
            LipstreamError: as `call`.
        """
        with self._lock:
            complete = False
            try:
                self._ask(function, arguments)
                while (size := self._result()) is not None:
                    yield self._read(lambda answers, give_up_s: answers.exactly(size, give_up_s))
                complete = True
            finally:
                if not complete:
                    self._end()

    @property
    def pid(self) -> int | None:
        """Of the process, where there is one."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, function: str, arguments: Sequence[Any]) -> None:
        request = json.dumps({"function": function, "arguments": arguments}).encode() + b"\n"
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(request)
            process.stdin.flush()
        except BrokenPipeError:
            pass  # what it says, or that it says nothing, tells why

    def _result(self) -> Any:
        answer = json.loads(self._read(lambda answers, give_up_s: answers.line(give_up_s)))
        error = answer.get("error")
        if error is not None:
            kind = _ERRORS.get(error.pop("kind"), Internal)
            raise kind(error.pop("message"), **error)
        return answer["result"]

    def _read(self, read: Callable[[_Answers, float], bytes]) -> bytes:
        process, answers = self._process, self._answers
        assert process is not None
        assert answers is not None
        try:
            return read(answers, time.monotonic() + self._wall_s)
        except TimeoutError:
            self._end()
            raise _refusal("it takes too long") from None
        except EOFError:
            self._end()
            code = process.returncode
            why = "it takes too long" if code == -signal.SIGXCPU else "its decoder failed"
            raise _refusal(why) from None
        except BaseException:
            self._end()
            raise

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
            assert self._process.stdout is not None
            self._answers = _Answers(self._process.stdout)
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


class _Answers:
    """What comes through a pipe, of which more may come than was asked for.

    Raises:
        EOFError: from both methods, at the pipe's end.
        TimeoutError: from both methods, when it did not come in time.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._rest = b""

    def line(self, give_up_s: float) -> bytes:
        while b"\n" not in self._rest:
            self._rest += self._more(give_up_s)
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def exactly(self, size: int, give_up_s: float) -> bytes:
        data = bytearray(self._rest[:size])
        self._rest = self._rest[size:]
        while len(data) < size:
            data += self._more(give_up_s, size - len(data))
        return bytes(data)

    def _more(self, give_up_s: float, most: int = 65_536) -> bytes:
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            if not selector.select(max(0.0, give_up_s - time.monotonic())):
                raise TimeoutError
        if not (piece := os.read(self._pipe.fileno(), most)):
            raise EOFError
        return piece


def _refusal(why: str) -> BadInput:
    return BadInput(f"The file cannot be read: {why}.", remedy=_REMEDY, code="unreadable_media")
