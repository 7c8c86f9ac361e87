"""A real redis-server for tests, which can be killed and started again on the same file."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import redis as redis_client

from lipstream.runtime.redis_server import find_redis_server

__all__ = ["RedisProcess", "free_port"]


def server_program() -> str:
    """What LIPSTREAM_TEST_REDIS_SERVER names, for tests on other versions, or the stack's own."""
    return os.environ.get("LIPSTREAM_TEST_REDIS_SERVER") or str(find_redis_server())


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
                server_program(),
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

    def send_signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._process is not None:
            os.kill(self._process.pid, how)
            self._process.wait(10)
            self._process = None
