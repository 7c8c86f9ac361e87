"""Runs a program that ends when the process that started it ends, however that ended.

Run as a script by the supervisor: `python leash.py SIGNAL PARENT_PID PROGRAM ARGUMENT...`. It asks
the kernel to send the signal when the parent is gone, and then becomes the program. It is a
program of its own because nothing may run between fork and exec in a process with threads. It
imports nothing of the package, so that it takes milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    signal_number, parent_pid, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit("the parent ended before the program began")
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
