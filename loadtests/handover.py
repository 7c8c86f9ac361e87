"""Sessions whose renderer is killed, or told to end, while another one stands by: how long pictures
stand still.

`python -m loadtests.handover [--times N] [--json FILE]`, on a stack of its own with two replicas of
the render stage.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import httpx
import redis

from lipstream.client import LiveClient, MediaKind, MediaMessage
from lipstream.runtime.local_stack import STAGE_SERVICES, LocalStack
from lipstream.runtime.settings import Settings
from lipstream.wire.streams import sessions_stream
from loadtests.conversation import AVATAR, add_avatar, spoken
from loadtests.manifest import Figure, Manifest

_BEFORE, _AFTER = 50, 100
"""Pictures that are seen before and after the signal."""
_REPLICAS = 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.handover", description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    os.environ["LIPSTREAM_LIVE_CAPACITY"] = "8"
    os.environ["LIPSTREAM_DRAIN_S"] = "20"
    frozen: dict[str, list[float]] = {"killed": [], "drained": []}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        add_avatar(settings)
        stages = [service for service in STAGE_SERVICES if service.name != "avatar"]
        with LocalStack(settings, stages=stages, replicas={"render": _REPLICAS}) as stack:
            for _ in range(arguments.times):
                for name, number in (("killed", signal.SIGKILL), ("drained", signal.SIGTERM)):
                    asyncio.run(_until_back(stack))
                    frozen[name].append(asyncio.run(_frozen_s(stack, number, arguments.size)))
    figures = [
        Figure(f"{name}_frozen_max_ms", 1e3 * max(values), goal="<= 1000")
        for name, values in frozen.items()
    ]
    Manifest("handover", {**vars(arguments), "json": None}).publish(figures, arguments.json)


async def _frozen_s(stack: LocalStack, number: signal.Signals, size: int) -> float:
    """The longest time between two pictures, as a viewer sees them, when a renderer gets that
    signal."""
    seen_us: list[int] = []
    async with LiveClient.opened(stack.url, avatar=AVATAR, size=size) as client:

        async def see(pictures: int) -> None:
            enough = len(seen_us) + pictures
            async for event in client.events():
                if isinstance(event, MediaMessage) and event.kind is MediaKind.VIDEO:
                    seen_us.append(event.pts_us)
                    if len(seen_us) >= enough:
                        return

        await client.speak(spoken())
        await client.end()
        await see(_BEFORE)
        os.kill(_renderer(stack, client.session["id"]), number)
        await see(_AFTER)
    # What is drawn again after the change of replica takes the place of what was there.
    times = sorted(set(seen_us))
    return max(b - a for a, b in pairwise(times)) / 1e6


def _renderer(stack: LocalStack, session_id: str) -> int:
    """The process that draws a session."""
    client = redis.Redis.from_url(stack.redis_url, decode_responses=True)
    lines: list[tuple[str, dict[str, str]]] = client.xrange(sessions_stream())  # type: ignore
    address = next(
        line["address"]
        for _, line in lines
        if line["session"] == session_id and line.get("stage") == "render"
    )
    return stack.pids[stack.component_at(address)]


async def _until_back(stack: LocalStack) -> None:
    """Wait until all renderers are ready."""
    urls = [url for name, url in stack.metrics_urls.items() if name.startswith("render")]
    end_s = time.monotonic() + 60
    async with httpx.AsyncClient(trust_env=False) as client:
        while time.monotonic() < end_s:
            try:
                answers = [await client.get(f"{url}/readyz") for url in urls]
            except httpx.HTTPError:
                answers = []
            if len(answers) == _REPLICAS and all(answer.is_success for answer in answers):
                return
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    main()
