"""The `lipstream` command, run in this process: the same words, output and exit codes."""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from lipstream.cli import main

__all__ = ["Outcome", "command"]


@dataclass(frozen=True, slots=True)
class Outcome:
    returncode: int
    stdout: str
    stderr: str


def command(*arguments: object, cwd: Path | None = None, **environment: str) -> Outcome:
    """What `lipstream ARGUMENT...` does there, with these variables of the environment."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setattr("sys.argv", ["lipstream", *map(str, arguments)])
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(cwd or os.getcwd())
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    assert isinstance(code, int), code
    return Outcome(code, out.getvalue(), err.getvalue())
