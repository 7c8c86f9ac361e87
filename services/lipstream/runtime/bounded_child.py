"""The other side of `bounded`: `python -m lipstream.runtime.bounded_child MEMORY_BYTES CPU_S`.

Reads one request a line and answers with one line, until its parent is gone.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import resource
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any

from lipstream.errors import LipstreamError, TooLarge


def main() -> None:
    memory_bytes, cpu_s = (int(argument) for argument in sys.argv[1:3])
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    while line := sys.stdin.buffer.readline():
        for answer in _answers(**json.loads(line), cpu_s=cpu_s):
            answers.write(answer)


def _answers(function: str, arguments: list[Any], cpu_s: int) -> Iterator[bytes]:
    """One line; of a generator one before each piece, with its length, and one at the end."""
    module, _, name = function.partition(":")

    def called() -> Any:
        _pass_by(module)
        return getattr(importlib.import_module(module), name)(*arguments)

    answer = _within(cpu_s, called)
    pieces = answer.get("result")
    if isinstance(pieces, Generator):
        while True:
            answer = _within(cpu_s, lambda: next(pieces, None))
            piece = answer.get("result")
            if piece is None:
                break
            yield json.dumps({"result": len(piece)}).encode() + b"\n"
            yield piece
    yield json.dumps(answer).encode() + b"\n"


def _within(cpu_s: int, work: Callable[[], Any]) -> dict[str, Any]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    budget_s = int(used.ru_utime + used.ru_stime) + 1 + cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (budget_s, resource.RLIM_INFINITY))
    try:
        return {"result": work()}
    except LipstreamError as error:
        return {"error": _described(error)}
    except MemoryError:
        needy = TooLarge(
            "The file cannot be read: it takes too much memory.",
            remedy="Send a smaller one.",
            code="unreadable_media",
        )
        return {"error": _described(needy)}


def _pass_by(module: str) -> None:
    """Let a module be imported without what its packages import, which no decoder needs."""
    parts = module.split(".")
    for package in (".".join(parts[:end]) for end in range(2, len(parts))):
        if package in sys.modules:
            continue
        spec = importlib.util.find_spec(package)
        if spec is not None:
            sys.modules[package] = importlib.util.module_from_spec(spec)


def _described(error: LipstreamError) -> dict[str, Any]:
    kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "lipstream.errors"]
    return {
        "kind": kinds[0],
        "message": error.message,
        "remedy": error.remedy,
        "code": error.code,
        "figures": error.figures,
    }


if __name__ == "__main__":
    main()
