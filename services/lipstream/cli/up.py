"""`lipstream up`: the whole platform on this machine."""

from __future__ import annotations

import signal
import time
from typing import Annotated, Any

import typer

from lipstream.cli.console import console, error_console
from lipstream.errors import BadInput

__all__ = ["up"]

_MOST_REPLICAS = 16


def up(
    port: Annotated[
        int, typer.Option(help="Where the gateway listens; 0 for any free port.", min=0, max=65535)
    ] = 8080,
    replicas: Annotated[
        list[str] | None,
        typer.Option(metavar="STAGE=N", help="Run a stage in N processes; may be given again."),
    ] = None,
) -> None:
    """Start every service on this machine: Redis, the four stages, the gateway.

    Prints the gateway's URL when all are ready. Ctrl-C ends everything. Avatars and videos stay in
    the data folder (LIPSTREAM_DATA_DIR).
    """
    from lipstream.runtime.local_stack import LocalStack
    from lipstream.runtime.settings import load_settings

    began = time.monotonic()
    counts = dict(_count(wish) for wish in replicas or ())
    # SIGINT too: a shell that starts this in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    stack = LocalStack(load_settings(), gateway_port=port, replicas=counts)
    try:
        with error_console.status("Starting Redis, the stages and the gateway"):
            stack.start()
        console.print(
            f"lipstream is ready at {stack.url} ({time.monotonic() - began:.1f} s)\n"
            f"  studio           {stack.url}/\n"
            f"  API and try-out  {stack.url}/docs\n"
            f"  data and logs    {stack.data_dir}\n"
            "Ctrl-C ends it.",
            highlight=False,
        )
        try:
            stack.wait()
        except KeyboardInterrupt:
            console.print("\nStopping", highlight=False)
    finally:
        stack.stop()


def _count(wish: str) -> tuple[str, int]:
    """A stage, and in how many processes it runs, of `STAGE=N`.

    Raises:
        BadInput: it is no such wish.
    """
    stage, _, count = wish.partition("=")
    if not count.isdecimal() or not 1 <= int(count) <= _MOST_REPLICAS:
        raise BadInput(
            f"--replicas {wish!r} is not understood.",
            remedy=f"Write a stage and a number up to {_MOST_REPLICAS}, such as render=2.",
        )
    return stage, int(count)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
