"""`/v1/sessions`: open a live session, talk through its socket, end it."""

from __future__ import annotations

import asyncio
from typing import cast

from fastapi import APIRouter, Request, Response, WebSocket, WebSocketDisconnect
from starlette.datastructures import Headers

from lipstream.errors import BadInput, LipstreamError, Unavailable
from lipstream.gateway.callers import SessionCaller
from lipstream.gateway.platform import Platform, Shared
from lipstream.gateway.problems import problem_response
from lipstream.gateway.sessions.client_messages import obey
from lipstream.gateway.sessions.connection import Connection
from lipstream.gateway.sessions.events import error_event
from lipstream.gateway.sessions.held_session import HeldSession
from lipstream.gateway.sessions.live_session import LiveSession
from lipstream.gateway.sessions.options import (
    SdpDocument,
    SessionDocument,
    SessionOptions,
    SessionState,
)
from lipstream.gateway.sessions.snapshot import SessionSnapshot
from lipstream.gateway.sessions.stage_clock import FPS
from lipstream.gateway.videos import check_avatar
from lipstream.wire.tenants import avatar_name

__all__ = ["router"]

router = APIRouter(prefix="/v1/sessions", tags=["live sessions"])

_NORMAL, _TRY_AGAIN_LATER = 1000, 1013  # RFC 6455 and its registry


@router.post("", status_code=201, response_model=SessionDocument)
async def open_session(
    options: SessionOptions, response: Response, platform: Shared, caller: SessionCaller
) -> SessionDocument:
    """Open a live session; its token opens the socket."""
    avatar_id = caller.avatar(options.avatar)
    await check_avatar(platform, avatar_id)
    await platform.inspector.check_voice(options.voice)
    options = options.model_copy(update={"avatar": avatar_id})
    held, token = await platform.sessions.open(caller, options)
    response.headers["Location"] = f"/v1/sessions/{held.live.id}"
    return _document(held.live.id, held, token)


@router.get("/{session_id}", response_model=SessionDocument)
async def get_session(session_id: str, platform: Shared, caller: SessionCaller) -> SessionDocument:
    """Whether the session speaks or is idle."""
    return _document(session_id, await platform.sessions.find(session_id, caller.tenant))


@router.post("/{session_id}/token", response_model=SessionDocument)
async def renew_token(session_id: str, platform: Shared, caller: SessionCaller) -> SessionDocument:
    """Another token for the session's socket, before or after the last one has expired."""
    found = await platform.sessions.find(session_id, caller.tenant)
    return _document(session_id, found, platform.sessions.renewed_token(found))


@router.delete("/{session_id}", status_code=204)
async def end_session(session_id: str, platform: Shared, caller: SessionCaller) -> None:
    """End the session; its socket is closed."""
    await platform.sessions.find(session_id, caller.tenant)
    await platform.sessions.end(session_id, "deleted")


@router.post("/{session_id}/webrtc", response_model=SdpDocument)
async def connect_webrtc(
    session_id: str, offer: SdpDocument, request: Request, platform: Shared
) -> SdpDocument:
    """The same session over WebRTC: an offer in, the answer out; `Authorization: Bearer` holds the
    session's token. Audio and H.264 tracks, and a data channel for the JSON of the socket."""
    held = await platform.sessions.reach(session_id, _bearer(request.headers))
    if offer.type != "offer":
        raise BadInput("The description is no offer.", code="bad_offer")
    if held.live.output.kind != "video":
        raise BadInput("A session of motion has no tracks.", code="no_video")
    try:
        from lipstream.gateway.sessions.webrtc import WebRtcPeer
    except ImportError as error:
        raise Unavailable(
            "This server does not speak WebRTC.",
            remedy="Install the extra webrtc, or use the WebSocket.",
            code="no_webrtc",
        ) from error
    peer = WebRtcPeer(held)
    answer = SdpDocument(sdp=await peer.answer(offer.sdp), type="answer")
    held.keep(asyncio.create_task(peer.serve()))
    return answer


@router.websocket("/{session_id}/stream")
async def stream(socket: WebSocket, session_id: str, token: str = "") -> None:
    """The session's socket: JSON and samples in, JSON and media out (docs/live.md)."""
    platform = cast(Platform, socket.app.state.platform)
    given = token or _bearer(socket.headers)
    try:
        held = await platform.sessions.reach(session_id, given)
        with held.connected() as connection:
            await socket.accept()
            await _talk(socket, held, connection)
    except LipstreamError as error:
        await socket.send_denial_response(problem_response(error, socket.url.path))


async def _talk(socket: WebSocket, held: HeldSession, connection: Connection) -> None:
    """Until either side has enough."""
    sender = asyncio.create_task(_send(socket, connection))
    receiver = asyncio.create_task(_receive(socket, held.live, connection))
    await asyncio.wait({sender, receiver}, return_when=asyncio.FIRST_COMPLETED)
    for task in (sender, receiver):
        task.cancel()
    await asyncio.gather(sender, receiver, return_exceptions=True)


async def _send(socket: WebSocket, connection: Connection) -> None:
    try:
        while (message := await connection.get()) is not None:
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_text(message)
        failure = connection.failure
        await socket.close(
            _TRY_AGAIN_LATER if failure else _NORMAL, failure.code if failure else "ended"
        )
    except (WebSocketDisconnect, RuntimeError):
        return  # the client is gone


async def _receive(socket: WebSocket, live: LiveSession, connection: Connection) -> None:
    while True:
        received = await socket.receive()
        if received["type"] == "websocket.disconnect":
            return
        try:
            samples = received.get("bytes")
            obey(live, samples if samples is not None else received.get("text") or "")
        except LipstreamError as error:
            connection.put(error_event(error))


def _bearer(headers: Headers) -> str:
    return headers.get("authorization", "").removeprefix("Bearer ")


def _document(
    session_id: str, found: HeldSession | SessionSnapshot, token: str | None = None
) -> SessionDocument:
    if isinstance(found, HeldSession):
        live = found.live
        state, options = live.state, live.options
        output, look_ahead_ms = live.output, live.look_ahead_ms
    else:
        state, options = SessionState.IDLE, found.options
        output, look_ahead_ms = found.live.output, found.live.look_ahead_ms
    return SessionDocument(
        id=session_id,
        state=state,
        avatar=avatar_name(options.avatar),
        output=output.kind,
        background=output.background,
        size=options.size,
        fps=FPS,
        sample_rate=options.sample_rate,
        look_ahead_ms=look_ahead_ms,
        stream_url=f"/v1/sessions/{session_id}/stream",
        session_token=token,
    )
