"""What decoders do when a file is hostile: called by name in a bounded process."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator

from lipstream.errors import TooLarge

__all__ = ["chatter", "count", "crash", "echo", "environment", "hang", "hog", "refuse"]


def echo(value: object) -> object:
    return value


def count(last: int, then: str = "") -> Iterator[bytes]:
    """What begins well, and what comes then."""
    for n in range(last):
        yield f"{n}\n".encode() * 50_000
    if then:
        globals()[then]()


def chatter() -> str:
    """Prints what could be taken for an answer."""
    print('{"result": "wrong"}', flush=True)
    os.write(1, b'{"result": "wrong"}\n')
    return "right"


def hang() -> None:
    while True:
        time.sleep(1)


def hog() -> int:
    return len(bytearray(4_000_000_000))


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def refuse() -> None:
    raise TooLarge("It is large.", remedy="Send less.", code="too_long", figures={"length_s": 9.0})


def environment() -> list[str]:
    return [*os.environ, *sys.argv]
