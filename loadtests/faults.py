"""Harm done to a running stack, and how long each kind took to get over."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.redis_server import redis_answers
from loadtests.manifest import Figure
from loadtests.own_network import dropped

__all__ = ["Faults", "SmallDisk"]

_KILLED = ("audio", "motion", "avatar", "render", "render-2", "gateway")
_STILL_S = 12.0
"""A process is held still: longer than its work is waited for."""
_SLOW_S = 8.0
_SLOW_RUNS_S, _SLOW_STANDS_S = 0.02, 0.18
"""A slow process gets a tenth of the time."""
_FULL_S = 4.0
_DROPPED_S = 8.0


class SmallDisk:
    """A file system of its own in memory, where this process may mount one; else a plain folder."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.folder = folder
        self.mounted = False
        self._size_bytes = size_bytes

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={self._size_bytes}", "tmpfs", str(self.folder)],
            capture_output=True,
        )
        self.mounted = done.returncode == 0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False)

    def fill(self) -> None:
        with (self.folder / "ballast").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
            except OSError:
                return

    def free(self) -> None:
        (self.folder / "ballast").unlink()


class Faults:
    """One after the other, each waited for until what was harmed works again.

    Args:
        every_s: between two kills.
        own_network: whether packets may be dropped, since no other process is in this network.
    """

    def __init__(
        self,
        stack: LocalStack,
        disk: SmallDisk,
        every_s: float,
        rng: random.Random,
        *,
        own_network: bool,
    ) -> None:
        self._stack = stack
        self._disk = disk
        self._every_s = every_s
        self._rng = rng
        self._next_s = time.monotonic() + every_s
        self._task: asyncio.Task[None] | None = None
        self._recovery_s: dict[str, list[float]] = {}
        self._victims: list[str] = []
        """Each comes once before any comes again."""
        once: list[tuple[float, str, Callable[[], Awaitable[None]]]] = [
            *([(0.2, "network_dropped", self._drop_network)] if own_network else []),
            (0.35, "redis_killed", self._kill_redis),
            (0.55, "render_still", self._hold_still),
            (0.65, "motion_slow", self._slow_down),
        ]
        if disk.mounted:
            once.append((0.75, "disk_full", self._fill_disk))
        self._once = once

    @property
    def told(self) -> str:
        return f"{sum(map(len, self._recovery_s.values()))} faults"

    async def step(self, done: float) -> None:
        """Do what is due when so much of the jobs, 0..1, is done."""
        if self._task is not None:
            if not self._task.done():
                return
            self._task.result()
            self._task = None
        if self._once and done >= self._once[0][0]:
            _, name, fault = self._once.pop(0)
        elif time.monotonic() >= self._next_s:
            self._victims = self._victims or self._rng.sample(_KILLED, len(_KILLED))
            victim = self._victims.pop()
            name, fault = f"{victim.removesuffix('-2')}_killed", lambda: self._kill(victim)
            self._next_s = time.monotonic() + self._every_s * self._rng.uniform(0.5, 1.5)
        else:
            return
        self._task = asyncio.create_task(self._timed(name, fault))

    async def end(self) -> None:
        if self._task is not None:
            await self._task

    def figures(self) -> list[Figure]:
        """The worst of each kind, and how often it was done."""
        figures = []
        for name, worst_s in self.recovery_s.items():
            figures.append(Figure(f"recovery_s_{name}", worst_s, state="cold"))
            figures.append(Figure(f"times_{name}", len(self._recovery_s[name])))
        return figures

    @property
    def recovery_s(self) -> dict[str, float]:
        """The longest recovery, by the kind of fault."""
        return {name: max(times_s) for name, times_s in sorted(self._recovery_s.items())}

    async def _timed(self, name: str, fault: Callable[[], Awaitable[None]]) -> None:
        began_s = time.monotonic()
        await fault()
        self._recovery_s.setdefault(name, []).append(time.monotonic() - began_s)

    async def _kill(self, component: str) -> None:
        pid = self._stack.pids.get(component)
        if pid is None:
            return  # it has just ended, and is being started again
        os.kill(pid, signal.SIGKILL)
        await self._until(lambda: self._stack.pids.get(component) not in (None, pid))
        url = self._stack.url if component == "gateway" else self._stack.metrics_urls[component]
        await self._ready(url)

    async def _ready(self, url: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
            while True:
                try:
                    if (await http.get(f"{url}/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)

    async def _drop_network(self) -> None:
        """Between the stages, whose work passes through Redis: connections stay open and dumb."""
        with dropped(self._redis_port):
            await asyncio.sleep(_DROPPED_S)
        for url in (self._stack.url, *self._stack.metrics_urls.values()):
            await self._ready(url)

    @property
    def _redis_port(self) -> int:
        return int(self._stack.redis_url.rpartition(":")[2].partition("/")[0])

    async def _kill_redis(self) -> None:
        port = self._redis_port
        os.kill(self._stack.pids["redis"], signal.SIGKILL)
        await self._until(lambda: not redis_answers(port))
        await self._until(lambda: redis_answers(port))

    async def _hold_still(self) -> None:
        pid = self._stack.pids["render"]
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(_STILL_S)
        os.kill(pid, signal.SIGCONT)

    async def _slow_down(self) -> None:
        pid = self._stack.pids["motion"]
        until_s = time.monotonic() + _SLOW_S
        while time.monotonic() < until_s:
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(_SLOW_STANDS_S)
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(_SLOW_RUNS_S)

    async def _fill_disk(self) -> None:
        await asyncio.to_thread(self._disk.fill)
        await asyncio.sleep(_FULL_S)
        self._disk.free()

    async def _until(self, there: Callable[[], bool]) -> None:
        while not await asyncio.to_thread(there):
            await asyncio.sleep(0.05)
