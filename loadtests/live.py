"""Live sessions as clients see them: the first picture that depends on speech, pictures on time,
barge-in, drift, memory.

`python -m loadtests.live [--sessions N] [--seconds S] [--json FILE]`, on a stack of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from lipstream.client import LiveClient, MediaKind, MediaMessage
from lipstream.face.bundle import load
from lipstream.face.model import AvatarModel
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.settings import Settings
from loadtests.conversation import AVATAR, SPOKEN_RATE_HZ, add_avatar, spoken
from loadtests.lip_sync import Film, Seen
from loadtests.manifest import Figure, Manifest, Value
from loadtests.stage_steps import StageSteps

_FRAME_S = 0.04
_PAUSE_S = 1.0
_BARGE_IN_EVERY = 3
"""Of utterances, every third is interrupted."""
_BARGE_IN_AFTER_S = 1.5
_JITTER_MS = 40
"""Of a session that is held, less, and none of its pictures late."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.live", description=__doc__)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    os.environ["LIPSTREAM_MAX_SESSIONS"] = str(arguments.sessions)
    os.environ["LIPSTREAM_LIVE_CAPACITY"] = str(arguments.sessions)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        library = add_avatar(settings)
        with LocalStack(settings) as stack:
            run = asyncio.run(_crowd(stack, arguments.sessions, arguments.seconds, arguments.size))
        film = Film.of(_model(library), arguments.size, spoken(), SPOKEN_RATE_HZ)
    figures, facts = _figures(run, film)
    Manifest("live", {**vars(arguments), "json": None, **facts}).publish(figures, arguments.json)


def _model(library: AvatarLibrary) -> AvatarModel:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "avatar.zip"
        library.fetch(AVATAR, path)
        return load(path).model


@dataclass
class _Run:
    """What one client saw; times are seconds of the machine's clock."""

    arrivals: list[float] = field(default_factory=list)
    """Of pictures, in the order of their times."""
    late: int = 0
    """Pictures that came after their time, or never."""
    in_time: int = 0
    """Pictures that came before their time was over."""
    paused_ms: float = 0.0
    """By how much speech was heard later because stages were behind."""
    first_s: list[float] = field(default_factory=list)
    """From a chunk's arrival to the first picture that depends on it, less what playback waits."""
    barge_in_s: list[float] = field(default_factory=list)
    seen: Seen = field(default_factory=lambda: Seen(SPOKEN_RATE_HZ))
    look_ahead_ms: int = 0
    growth_mb: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    """What all sessions together cost, by process."""
    step_ms: dict[str, float] = field(default_factory=dict)
    """How long a stage kept a message of any session."""


async def _crowd(stack: LocalStack, count: int, seconds: float, size: int) -> list[_Run]:
    speech = spoken()
    # The first one alone, so that models and kernels are warm.
    await _talk(stack.url, speech, 3.0, size)
    before_mb, before_s, steps = _rss_mb(), _cpu_s(stack), StageSteps(stack)
    runs = await asyncio.gather(*(_talk(stack.url, speech, seconds, size) for _ in range(count)))
    growth_mb = _rss_mb() - before_mb
    cpu_s = {name: spent - before_s[name] for name, spent in _cpu_s(stack).items()}
    step_ms = steps.mean_ms()
    for run in runs:
        run.growth_mb, run.cpu_s, run.step_ms = growth_mb, cpu_s, step_ms
    return list(runs)


async def _talk(server: str, speech: bytes, seconds: float, size: int) -> _Run:
    run = _Run()
    async with LiveClient.opened(
        server, avatar=AVATAR, size=size, sample_rate=SPOKEN_RATE_HZ
    ) as client:
        run.look_ahead_ms = client.session["look_ahead_ms"]
        watcher = _Watcher(run, 1e-3 * run.look_ahead_ms)
        listening = asyncio.create_task(watcher.listen(client))
        end = time.monotonic() + seconds
        turn = 0
        while time.monotonic() < end:
            turn += 1
            watcher.spoke(time.monotonic())
            await client.speak(speech)
            await client.end()
            if turn % _BARGE_IN_EVERY == 0:
                await asyncio.sleep(_BARGE_IN_AFTER_S)
                watcher.interrupted(time.monotonic())
                await client.interrupt()
            await watcher.quiet.wait()
            watcher.quiet.clear()
            await asyncio.sleep(_PAUSE_S)
        listening.cancel()
    return run


class _Watcher:
    def __init__(self, run: _Run, look_ahead_s: float) -> None:
        self.quiet = asyncio.Event()
        self._run = run
        self._look_ahead_s = look_ahead_s
        self._spoke_s: float | None = None
        self._started_us: int | None = None
        self._interrupted_s: float | None = None
        self._last_us: int | None = None
        self._origin_s: float | None = None
        self._heard_until_us: int | None = None

    def spoke(self, now_s: float) -> None:
        self._spoke_s = now_s

    def interrupted(self, now_s: float) -> None:
        self._interrupted_s = now_s

    async def listen(self, client: LiveClient) -> None:
        async for event in client.events():
            now_s = time.monotonic()
            if isinstance(event, MediaMessage):
                self._media(event, now_s)
            elif event["type"] == "session.state_updated":
                self._origin_s = now_s - event["now_us"] / 1e6
            elif event["type"] == "agent.speak_started":
                self._started_us = self._heard_until_us = event["pts_us"]
                self._run.seen.begins()
            elif event["type"] == "agent.speak_finished":
                self.quiet.set()

    def _media(self, media: MediaMessage, now_s: float) -> None:
        self._run.seen.add(media)
        if media.kind is MediaKind.AUDIO:
            if self._heard_until_us is not None:
                self._run.paused_ms += (media.pts_us - self._heard_until_us) / 1e3
            self._heard_until_us = (
                media.pts_us + len(media.payload) // 2 * 1_000_000 // SPOKEN_RATE_HZ
            )
            return
        if media.kind is not MediaKind.VIDEO or self._origin_s is None:
            return
        if self._interrupted_s is not None and media.keyframe:
            # The first of the new epoch: whatever was stale came before it.
            self._run.barge_in_s.append(now_s - self._interrupted_s)
            self._interrupted_s, self._last_us = None, None
        if self._last_us is not None and media.pts_us > self._last_us:
            self._run.late += round((media.pts_us - self._last_us) / 1e6 / _FRAME_S) - 1
        self._last_us = media.pts_us
        seen_s = self._origin_s + media.pts_us / 1e6
        late = now_s > seen_s + _FRAME_S
        self._run.late += late
        self._run.in_time += not late
        self._run.arrivals.append(now_s)
        # A frame that ends, with its look-ahead, after speech began depends on it.
        depends_us = media.pts_us + round(1e6 * self._look_ahead_s)
        if self._spoke_s is None or self._started_us is None or depends_us <= self._started_us:
            return
        self._run.first_s.append(now_s - self._spoke_s)
        self._spoke_s = self._started_us = None


def _figures(runs: list[_Run], film: Film) -> tuple[list[Figure], dict[str, Value]]:
    first = 1e3 * np.array([value for run in runs for value in run.first_s])
    barge_in = 1e3 * np.array([value for run in runs for value in run.barge_in_s])
    jitter = [_percentile(1e3 * np.abs(np.diff(run.arrivals) - _FRAME_S), 99) for run in runs]
    offsets = [own for run in runs for own in run.seen.offsets_ms(film)]
    late = sum(run.late for run in runs)
    held = sum(
        not run.late and own is not None and own < _JITTER_MS
        for run, own in zip(runs, jitter, strict=True)
    )
    pictures = sum(len(run.arrivals) for run in runs)
    figures = [
        Figure("first_frame_compute_p50_ms", _percentile(first, 50), goal="<= 40"),
        Figure("first_frame_compute_p95_ms", _percentile(first, 95), goal="<= 60"),
        Figure("look_ahead_ms", runs[0].look_ahead_ms),
        Figure("late_frames", late, goal="0"),
        Figure("pictures", pictures),
        Figure("pictures_in_time", sum(run.in_time for run in runs)),
        Figure("speech_paused_ms", max(run.paused_ms for run in runs), goal="0"),
        Figure(
            "jitter_p99_ms",
            max((own for own in jitter if own is not None), default=None),
            goal="< 40",
        ),
        Figure("sessions_held", held, goal=f"{len(runs)}"),
        Figure("barge_in_p95_ms", _percentile(barge_in, 95), goal="<= 60"),
        Figure("av_offset_max_ms", max(map(abs, offsets), default=None), goal="<= 20"),
        Figure("av_offset_median_ms", float(np.median(offsets)) if offsets else None),
        Figure("av_offset_utterances", len(offsets)),
        Figure("rss_growth_mb", runs[0].growth_mb, goal="0"),
        *(Figure(f"step_mean_ms_{stage}", ms) for stage, ms in runs[0].step_ms.items()),
        *(
            Figure(f"cpu_ms_per_picture_{name}", 1e3 * spent / max(pictures, 1))
            for name, spent in runs[0].cpu_s.items()
        ),
    ]
    return figures, {"utterances": len(first), "interrupts": len(barge_in)}


def _percentile(values: NDArray[np.float64], percent: float) -> float | None:
    """None where nothing was seen."""
    return float(np.percentile(values, percent)) if values.size else None


def _rss_mb() -> float:
    """Of all processes of the stack."""
    children = psutil.Process().children(recursive=True)
    return sum(child.memory_info().rss for child in children) / 1e6


def _cpu_s(stack: LocalStack) -> dict[str, float]:
    """Of each process, and of the clients, which is this one."""
    spent = {}
    for name, pid in {**stack.pids, "clients": os.getpid()}.items():
        times = psutil.Process(pid).cpu_times()
        spent[name] = times.user + times.system
    return spent


if __name__ == "__main__":
    main()
