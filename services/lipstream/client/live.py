"""A live session, from the side of an agent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self, TypeAlias

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from lipstream.client.answers import check_answer, refused
from lipstream.client.credentials import key_headers
from lipstream.errors import Unavailable
from lipstream.wire.live_media import MediaKind, MediaMessage

__all__ = ["LiveClient", "LiveEvent"]

LiveEvent: TypeAlias = MediaMessage | dict[str, Any]
"""Media, or an event such as `{"type": "agent.speak_finished", ...}`."""

_LARGEST_PIECE = 32_000
"""Bytes of samples in one message. The server takes up to a megabyte, but the first picture waits
for the first message: at 10 Mbit/s, 26 ms."""
_LARGEST_MESSAGE = 16_000_000
_ENDED = 1000
"""RFC 6455: closed on purpose."""
_TOO_LARGE = 1009
"""RFC 6455: a message was larger than the server takes."""
_TOO_LARGE_ERROR = {
    "type": "error",
    "code": "message_too_large",
    "detail": "A message was larger than the server takes: it closed the connection.",
    "remedy": "Send speech in pieces of a megabyte at most.",
}
_FINAL = (403, 404, 409)
"""HTTP statuses of sessions that are over, or another's."""
_PATIENCE_S = 30.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 4.0


class LiveClient:
    """Speaks into a session and reads what comes of it.

    Stale media, of an epoch before an interrupt, is left out. A connection that drops is made again
    by `events`; what is said meanwhile is lost. Made by `opened`.
    """

    def __init__(
        self,
        socket: ClientConnection,
        server: str,
        document: dict[str, Any],
        api_key: str | None = None,
    ) -> None:
        self._socket = socket
        self._server = server
        self._api_key = api_key
        self._epoch = self._sound_epoch = 0
        self._finished = 0
        """The last utterance that has been heard."""
        self.session = document
        """As `POST /v1/sessions` gave it."""

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, server: str, *, api_key: str | None = None, **options: Any
    ) -> AsyncIterator[Self]:
        """Open a session on a server, and end it at the end.

        Args:
            server: such as `http://127.0.0.1:8080`.
            api_key: where the server asks for one; by default LIPSTREAM_API_KEY of the
                environment.
            options: of `POST /v1/sessions`: avatar, output, size, sample_rate, voice, seed,
                style, controls, background. Before `none` a picture is twice as wide, and says
                so (`MediaMessage.side_by_side`).

        Raises:
            BadInput: the server refuses, in its own words.
            Unavailable: it cannot be reached.
        """
        headers = key_headers(api_key)
        async with httpx.AsyncClient(base_url=server, headers=headers, trust_env=False) as http:
            try:
                answer = await http.post("/v1/sessions", json=options, timeout=30)
            except httpx.HTTPError as error:
                raise Unavailable(f"{server} cannot be reached: {error}") from error
            check_answer(answer)
            document = answer.json()
            try:
                async with cls.attached(server, document, api_key=api_key) as client:
                    yield client
            finally:
                with contextlib.suppress(httpx.HTTPError):  # it ends by itself as well
                    await http.delete(f"/v1/sessions/{document['id']}")

    @classmethod
    @asynccontextmanager
    async def attached(
        cls, server: str, document: dict[str, Any], *, api_key: str | None = None
    ) -> AsyncIterator[Self]:
        """Connect to a session that is open, after a dropped connection for example.

        Args:
            api_key: as for `opened`; asked for only when the session's token has expired.

        Raises:
            BadInput: the server refuses, in its own words.
            Unavailable: it cannot be reached.
        """
        try:
            client = cls(await _connected(server, document), server, document, api_key)
        except InvalidStatus as refusal:
            raise refused(
                refusal.response.status_code, bytes(refusal.response.body or b"")
            ) from None
        except OSError as error:
            raise Unavailable(f"{server} cannot be reached: {error}") from error
        try:
            yield client
        finally:
            await client._socket.close()

    async def speak(self, samples: bytes) -> None:
        """A piece of speech: 16-bit PCM, mono, at the session's rate."""
        for first in range(0, len(samples), _LARGEST_PIECE):
            await self._send(samples[first : first + _LARGEST_PIECE])

    async def end(self) -> None:
        """The utterance is complete."""
        await self._tell(type="agent.speak_end")

    async def say(self, text: str, voice: str | None = None) -> None:
        """Speak a text with the server's voice."""
        await self._tell(type="agent.speak", text=text, **({"voice": voice} if voice else {}))

    async def interrupt(self) -> None:
        """Stop speaking at once."""
        await self._tell(type="agent.interrupt")

    async def direct(self, **controls: Any) -> None:
        """Ask something else of the face, in place of all before: emotion, gaze, blink_rate."""
        await self._tell(type="session.controls", controls=controls)

    async def show(self, **changes: Any) -> None:
        """Go over to another output ("video" or "motion"), background ("none": see `opened`) or
        framing."""
        await self._tell(type="session.output", **changes)

    async def keep_alive(self) -> None:
        await self._tell(type="session.keep_alive")

    async def events(self) -> AsyncGenerator[LiveEvent, None]:
        """Everything the server sends, until the session ends, or cannot be reached for 30 s."""
        while True:
            with contextlib.suppress(ConnectionClosed):
                async for message in self._socket:
                    if (event := self._read(message)) is not None:
                        yield event
            if self._socket.close_code == _TOO_LARGE:
                yield dict(_TOO_LARGE_ERROR)
            if self._socket.close_code == _ENDED or not await self._connect_again():
                return

    def _read(self, message: str | bytes) -> LiveEvent | None:
        """None where it is stale, or was told before the connection dropped."""
        if isinstance(message, bytes):
            media = MediaMessage.decode(message)
            if media.kind is MediaKind.AUDIO:
                self._sound_epoch = max(self._sound_epoch, media.epoch)
                return media if media.epoch == self._sound_epoch else None
            self._epoch = max(self._epoch, media.epoch)
            return media if media.epoch == self._epoch else None
        event: dict[str, Any] = json.loads(message)
        if event["type"] == "agent.speak_finished":
            if event["utterance"] <= self._finished:
                return None
            self._finished = event["utterance"]
        return event

    async def _connect_again(self) -> bool:
        """Whether it could be done."""
        end_s, pause_s = time.monotonic() + _PATIENCE_S, _FIRST_PAUSE_S
        while time.monotonic() < end_s:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            try:
                self._socket = await _connected(self._server, self.session)
            except InvalidStatus as refusal:
                if refusal.response.status_code in _FINAL and not await self._renew():
                    return False
            except (OSError, InvalidHandshake):
                continue
            else:
                return True
        return False

    async def _renew(self) -> bool:
        """Whether there is another token: the last one may have expired."""
        path = f"{self._server}/v1/sessions/{self.session['id']}/token"
        headers = key_headers(self._api_key)
        async with httpx.AsyncClient(headers=headers, trust_env=False) as http:
            try:
                answer = (await http.post(path)).raise_for_status()
            except httpx.HTTPError:
                return False
        self.session = answer.json()
        return True

    async def _tell(self, **message: Any) -> None:
        await self._send(json.dumps(message))

    async def _send(self, message: str | bytes) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(message)


async def _connected(server: str, document: dict[str, Any]) -> ClientConnection:
    url = server.replace("http", "ws", 1) + document["stream_url"]
    headers = {"Authorization": f"Bearer {document['session_token']}"}
    return await connect(url, additional_headers=headers, max_size=_LARGEST_MESSAGE, proxy=None)
