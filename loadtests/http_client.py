"""A client that costs little, so that a benchmark measures the server: HTTP/1.1 on open sockets."""

from __future__ import annotations

import asyncio
from typing import Self

__all__ = ["Connection"]


class Connection:
    """One socket, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        return cls(*await asyncio.open_connection(host, port))

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        status, length = await self.begin(path)
        return status, await self._reader.readexactly(length)

    async def begin(self, path: str) -> tuple[int, int]:
        """Ask, and read the answer's head: status and length, 0 where none is said."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return int(head.split(b" ", 2)[1]), length

    async def read_until(self, mark: bytes) -> None:
        """Read on, until this has come."""
        await self._reader.readuntil(mark)

    def close(self) -> None:
        self._writer.close()
