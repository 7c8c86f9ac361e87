"""What sessions and films cost, and how many nodes that takes.

`python -m loadtests.capacity [--json FILE] [--size 512] [--sessions 3] [--node-cores 16]`

Measured on this machine, in CPU time: what each process spends on a frame of one live session, and
of two, which share a part of it; and on a minute of film. It needs cores that are free: where
sessions fall behind (`drawn_of_due`), the other figures say nothing. From that a simulation says
how many sessions a node carries with one frame in a thousand late (`node_model`), and how many
nodes carry a number of concurrent sessions that come and go (`pool_model`). It is held against what
it did not see: the cores that several sessions at once take, and Erlang's formula. Where there are
few cores, a smaller size leaves room for several.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import numpy as np
import psutil
from numpy.typing import NDArray

from lipstream.client import LiveClient, MediaKind, MediaMessage
from lipstream.face.bundle import load
from lipstream.face.model import AvatarModel
from lipstream.render import FilmOptions, render_video
from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.settings import Settings
from loadtests.conversation import AVATAR, SPOKEN_RATE_HZ, TEXT, add_avatar, spoken
from loadtests.manifest import Figure, Manifest
from loadtests.node_model import FRAME_S, ServiceTimes, most_sessions, simulate_node
from loadtests.pool_model import erlang_b, nodes_for, simulate_pool
from loadtests.talking import RATE_HZ, sounding, talking

_STAGES = ("audio", "motion", "render", "gateway")
_PLANNED = (100, 1000, 10_000)
_SETTLE_S = 3.0
_START_S = 180.0
_SPREAD_S = 5.0
_FPS = 25
_RUNNING = ("queued", "running")


@dataclass(frozen=True, slots=True)
class _Case:
    """What sessions took together."""

    cpu_s: dict[str, float]
    pictures: int
    session_s: float

    @property
    def drawn_of_due(self) -> float:
        """Share of the pictures that were drawn and came."""
        return min(1.0, self.pictures / (self.session_s / FRAME_S))

    def frame_s(self) -> tuple[float, ...]:
        """CPU seconds of each stage for a frame. Sound and motion go on when a picture is left
        out, so only the renderer counts by pictures."""
        frames = self.session_s / FRAME_S
        counts = {"render": max(self.pictures, 1)}
        return tuple(self.cpu_s[name] / counts.get(name, frames) for name in _STAGES)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.capacity", description=__doc__)
    parser.add_argument("--sessions", type=int, default=3, help="in the case that is held against")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--size", type=int, default=512, help="of pictures, pixels")
    parser.add_argument("--node-cores", type=int, default=16)
    parser.add_argument("--core-hour-usd", type=float, default=0.04, help="what a core costs")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    most = str(max(2, arguments.sessions))
    os.environ["LIPSTREAM_MAX_SESSIONS"] = most
    # More than there are cores for, if so asked: what is measured is CPU time.
    os.environ["LIPSTREAM_LIVE_CAPACITY"] = most
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        path = settings.data_dir / "avatar.zip"
        add_avatar(settings).fetch(AVATAR, path)
        spread = _spread(load(path).model, arguments.size)
        stack = LocalStack(settings)
        stack.start(_START_S)
        try:
            meter = _Meter(stack, arguments.size)
            meter.sessions(1, _SETTLE_S)  # models and kernels are warm from here on
            one, two, several = (
                meter.sessions(count, arguments.seconds) for count in (1, 2, arguments.sessions)
            )
            film_s = meter.film()
        finally:
            stack.stop()
    times = ServiceTimes.of(one.frame_s(), two.frame_s(), spread)
    figures = _figures(times, (one, two), several, film_s, arguments)
    Manifest("capacity", {**vars(arguments), "json": None}).publish(figures, arguments.json)


class _Meter:
    """What the processes of a stack spend, beyond what they spend idle."""

    def __init__(self, stack: LocalStack, size_px: int) -> None:
        self._stack = stack
        self._size_px = size_px
        before = self._cpu_s()
        time.sleep(_SETTLE_S)
        after = self._cpu_s()
        self._idle = {name: (after[name] - before[name]) / _SETTLE_S for name in after}

    def sessions(self, count: int, seconds: float) -> _Case:
        """So many sessions that speak without a pause."""

        async def talks() -> list[tuple[int, float]]:
            session = partial(_talk, self._stack.url, self._size_px, seconds)
            return await asyncio.gather(*(session() for _ in range(count)))

        before, began_s = self._cpu_s(), time.perf_counter()
        ended = asyncio.run(talks())
        wall_s = time.perf_counter() - began_s
        pictures, open_s = (sum(part) for part in zip(*ended, strict=True))
        return _Case(self._spent(before, wall_s), round(pictures), open_s)

    def film(self) -> float:
        """CPU seconds of all processes for a minute of film."""
        before, began_s = self._cpu_s(), time.perf_counter()
        with httpx.Client(base_url=self._stack.url, trust_env=False, timeout=60) as http:
            wanted = {"avatar": AVATAR, "text": TEXT, "size": self._size_px}
            video = http.post("/v1/videos", json=wanted).raise_for_status().json()
            while (document := http.get(f"/v1/videos/{video['id']}").json())["status"] in _RUNNING:
                time.sleep(0.5)
        if document["status"] != "succeeded":
            raise RuntimeError(f"The film failed: {document['error']}")
        spent = self._spent(before, time.perf_counter() - began_s)
        return sum(spent.values()) * 60 / float(document["results"]["duration_s"])

    def _spent(self, before: dict[str, float], wall_s: float) -> dict[str, float]:
        after = self._cpu_s()
        return {
            name: max(0.0, after[name] - before[name] - self._idle[name] * wall_s)
            for name in before
        }

    def _cpu_s(self) -> dict[str, float]:
        spent = {}
        for name, pid in self._stack.pids.items():
            times = psutil.Process(pid).cpu_times()
            spent[name] = times.user + times.system
        return spent


async def _talk(server: str, size_px: int, seconds: float) -> tuple[int, float]:
    """Speak for so long; pictures that came, and how long the session was open."""
    speech = spoken()
    pictures = 0
    async with LiveClient.opened(
        server, avatar=AVATAR, size=size_px, sample_rate=SPOKEN_RATE_HZ
    ) as client:
        began_s = time.perf_counter()

        async def listen() -> None:
            nonlocal pictures
            async for event in client.events():
                pictures += isinstance(event, MediaMessage) and event.kind is MediaKind.VIDEO

        listening = asyncio.create_task(listen())
        said_s = 0.0
        while time.perf_counter() - began_s < seconds:
            if said_s < time.perf_counter() - began_s + 2:
                await client.speak(speech)
                said_s += len(speech) / 2 / SPOKEN_RATE_HZ
            await asyncio.sleep(0.2)
        open_s = time.perf_counter() - began_s
        listening.cancel()
    return pictures, open_s


def _figures(
    times: ServiceTimes,
    seen: tuple[_Case, _Case],
    several: _Case,
    film_s: float,
    a: argparse.Namespace,
) -> list[Figure]:
    predicted = simulate_node(times, cores=1024, sessions=a.sessions).busy
    # Pictures that were left out for want of cores cost nothing; so the case is taken as drawn.
    render_s = times.among(a.sessions)[_STAGES.index("render")]
    predicted -= (1 - several.drawn_of_due) * render_s * a.sessions / FRAME_S
    measured = sum(several.cpu_s[name] for name in _STAGES) / (several.session_s / a.sessions)
    carried = most_sessions(times, cores=a.node_cores)
    simulated = simulate_pool(places=110, load=100.0, stays=2000)
    figures = [
        *(
            Figure(f"cpu_ms_per_frame_{name}", 1e3 * spent)
            for name, spent in zip(_STAGES, times.among(1), strict=True)
        ),
        *(
            Figure(f"of_it_shared_{name}", 1e3 * spent)
            for name, spent in zip(_STAGES, times.shared, strict=True)
        ),
        Figure("drawn_of_due", min(case.drawn_of_due for case in (*seen, several)), goal=">= 0.95"),
        Figure("frame_spread_p99", float(np.percentile(times.spread, 99))),
        Figure("streams_per_core_at_full_use", FRAME_S / times.frame_s),
        Figure("sessions_per_node", carried),
        Figure("streams_per_core", carried / a.node_cores),
        Figure("usd_per_live_hour", a.core_hour_usd * a.node_cores / max(carried, 1)),
        Figure("cpu_s_per_film_minute", film_s),
        Figure("usd_per_film_minute", film_s / 3600 * a.core_hour_usd),
        Figure("streams_per_gpu", None, goal="not measured: no GPU"),
        *(
            Figure(f"nodes_for_{load}_sessions", nodes_for(load, carried) if carried else None)
            for load in _PLANNED
        ),
        Figure("measured_sessions", a.sessions),
        Figure("measured_cores", measured),
        Figure("predicted_cores", predicted),
        Figure("prediction_error", predicted / measured - 1, goal="within 0.2"),
        Figure("pool_refused_simulated", simulated),
        Figure("pool_refused_erlang", erlang_b(110, 100.0), goal="as simulated"),
    ]
    return figures


def _spread(model: AvatarModel, size_px: int) -> NDArray[np.float64]:  # [K]
    """CPU time of single pictures of a talking face, over its mean."""
    marks: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        render_video(
            model,
            talking(_SPREAD_S),
            sounding(_SPREAD_S),
            Path(folder) / "film.mp4",
            audio_rate_hz=RATE_HZ,
            options=FilmOptions(size_px=size_px, threads=1),
            progress=lambda frames: marks.append(time.process_time()),
        )
    spent = np.diff(marks)[_FPS:]  # the first second compiles
    shape: NDArray[np.float64] = spent / spent.mean()
    return shape


if __name__ == "__main__":
    main()
