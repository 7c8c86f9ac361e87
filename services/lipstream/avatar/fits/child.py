"""Fits as processes of this machine, which end when the service does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from lipstream.avatar.fits.launcher import EXIT_SPEECHLESS, speechless
from lipstream.errors import Internal, LipstreamError
from lipstream.runtime import leash
from lipstream.runtime.job_context import JobContext

__all__ = ["ChildFit", "ChildLauncher"]

_GRACE_S = 2.0


class ChildFit:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def ended(self) -> LipstreamError | None:
        code = self._process.poll()
        if code is None:
            return None
        if code == EXIT_SPEECHLESS:
            return speechless()
        if code < 0:
            return Internal(
                f"The fit was killed by {signal.Signals(-code).name}.",
                remedy="The input may need more memory than there is; try a smaller one.",
                code="fit_died",
            )
        return Internal(f"The fit ended with {code} and no report; see the log.", code="fit_died")

    def leave(self, *, unwanted: bool) -> None:
        self._process.terminate()
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class ChildLauncher:
    """
    Args:
        memory_mb: what one fit may take.
    """

    def __init__(self, memory_mb: int) -> None:
        self._memory_mb = memory_mb

    def launch(self, context: JobContext) -> ChildFit:
        return ChildFit(
            subprocess.Popen(
                (
                    *(sys.executable, "-I", "-S", leash.__file__),
                    *(str(int(signal.SIGKILL)), str(os.getpid())),
                    *(sys.executable, "-m", "lipstream.avatar.fits", context.job.id),
                    *("--memory-mb", str(self._memory_mb)),
                ),
                stdin=subprocess.DEVNULL,
            )
        )
