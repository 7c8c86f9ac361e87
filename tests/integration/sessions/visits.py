"""What users of a stack do that has nothing wrong with it."""

from __future__ import annotations

import time

import httpx

from tests.integration.sessions.listener import Listener
from tests.integration.sessions.speech import speech
from tests.portrait import AVATAR

__all__ = ["make_video", "say", "speak"]


async def speak(server: str) -> None:
    """Open a session, say something, and look until it was heard."""
    async with Listener.opened(server, avatar=AVATAR, size=128) as listener:
        await say(listener, "My father saw a far away star.")


async def say(listener: Listener, text: str) -> None:
    """Say something in one's own voice, and look until it was heard."""
    await listener.client.speak(speech(text))
    await listener.client.end()
    await listener.until("agent.speak_finished")


def make_video(server: str) -> None:
    """Have a video made, and wait for it."""
    with httpx.Client(base_url=server, trust_env=False, timeout=60) as http:
        wanted = {"avatar": AVATAR, "text": "Hello.", "size": 128}
        video = http.post("/v1/videos", json=wanted).raise_for_status().json()
        while (document := http.get(f"/v1/videos/{video['id']}").json())["status"] != "succeeded":
            assert document["status"] in ("queued", "running"), document
            time.sleep(0.1)
