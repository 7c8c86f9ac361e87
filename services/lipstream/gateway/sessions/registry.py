"""The sessions of this gateway: made, found by their token, ended when nobody comes back."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator

from lipstream.errors import Conflict, LipstreamError, NotFound, Overloaded
from lipstream.gateway.principal import Principal
from lipstream.gateway.refusals import Forbidden
from lipstream.gateway.sessions.connection import Connection
from lipstream.gateway.sessions.live_session import LiveSession, Sent
from lipstream.gateway.sessions.options import SessionOptions, SessionState
from lipstream.gateway.sessions.places import SessionPlaces
from lipstream.gateway.sessions.session_log import SessionLog
from lipstream.gateway.sessions.session_meter import SessionMeter
from lipstream.gateway.sessions.stage_calls import Stages
from lipstream.runtime.telemetry import Telemetry

__all__ = ["HeldSession", "SessionRegistry"]

_SWEEP_S = 1.0


class HeldSession:
    """A session, and who may watch it."""

    def __init__(
        self,
        session_id: str,
        tenant: str,
        options: SessionOptions,
        stages: Stages,
        log: SessionLog,
        telemetry: Telemetry,
    ) -> None:
        self.tenant = tenant
        self.opened_s = time.monotonic()
        self._log = log
        self.token = secrets.token_urlsafe(24)
        """Forgotten once it has been told."""
        self._digest = _digest(self.token)
        self._connection: Connection | None = None
        self._alone_since_s = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        meter = SessionMeter(session_id, telemetry)
        self.live = LiveSession(session_id, options, stages, meter, self._send)

    def check(self, token: str) -> None:
        """
        Raises:
            Forbidden: it is not this session's.
        """
        if not hmac.compare_digest(_digest(token), self._digest):
            raise Forbidden(
                "The token does not open this session.",
                remedy="Use the session_token that POST /v1/sessions gave.",
                code="bad_token",
            )

    @contextlib.contextmanager
    def connected(self) -> Iterator[Connection]:
        """A client's connection; it takes the place of an earlier one of the same client.

        Raises:
            Conflict: the session has ended.
        """
        if self.live.state is SessionState.CLOSED:
            raise Conflict("The session has ended.", remedy="Open another one.", code="ended")
        if self._connection is not None:
            self._connection.close()
        connection = self._connection = Connection()
        self.live.watch(True)
        self._log.note(self.live.id, "connected")
        try:
            yield connection
        finally:
            connection.close()
            self._log.note(self.live.id, "dropped")
            if self._connection is connection:
                self._connection = None
                self._alone_since_s = time.monotonic()
                self.live.watch(False)

    def alone_s(self) -> float:
        """How long nobody has been connected."""
        return 0.0 if self._connection else time.monotonic() - self._alone_since_s

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold on to a task that serves this session, until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def hang_up(self) -> None:
        """Close the client's connection, once it has what waits."""
        if self._connection is not None:
            self._connection.close()

    def _send(self, item: Sent) -> None:
        if isinstance(item, dict) and item["type"] == "agent.speak_finished":
            self._log.note(
                self.live.id,
                "spoke",
                utterance=item["utterance"],
                heard_ms=item["playback_position_ms"],
                interrupted=int(item["interrupted"]),
            )
        if self._connection is not None:
            self._connection.put(item)


class SessionRegistry:
    """
    Args:
        stages: who does the work.
        places: how many sessions a caller has.
        most: sessions at once.
        patience_s: how long a session waits for a client that is not, or no longer, connected.
    """

    def __init__(
        self,
        stages: Stages,
        log: SessionLog,
        places: SessionPlaces,
        telemetry: Telemetry,
        *,
        most: int,
        patience_s: float,
    ) -> None:
        self._stages = stages
        self._log = log
        self._places = places
        self._telemetry = telemetry
        self._most = most
        self._patience_s = patience_s
        self._sessions: dict[str, HeldSession] = {}
        self._sweeper = asyncio.create_task(self._sweep())

    def __len__(self) -> int:
        return len(self._sessions)

    def by_state(self) -> dict[str, int]:
        """How many sessions are in each state."""
        counts = dict.fromkeys((str(state) for state in SessionState), 0)
        for held in self._sessions.values():
            counts[held.live.state] += 1
        return counts

    async def open(self, caller: Principal, options: SessionOptions) -> HeldSession:
        """
        Raises:
            Overloaded: there are as many sessions as there may be, or as the caller may have.
            LipstreamError: a stage cannot do what is asked for, or is away.
        """
        if len(self._sessions) >= self._most:
            raise Overloaded(
                f"{self._most} sessions are open, as many as there may be.",
                remedy="Wait until one has ended.",
                code="sessions_full",
            )
        session_id = secrets.token_hex(8)
        began_s = time.monotonic()
        held = HeldSession(
            session_id, caller.tenant, options, self._stages, self._log, self._telemetry
        )
        self._sessions[session_id] = held  # counts from now on, while it connects
        try:
            if caller.key_id is not None:
                await self._places.take(session_id, caller.key_id, caller.sessions)
            await held.live.open()
        except BaseException:
            del self._sessions[session_id]
            await self._places.give_back(session_id)
            raise
        self._telemetry.session_opened(time.monotonic() - began_s)
        self._log.note(
            session_id,
            "opened",
            tenant=caller.tenant,
            avatar=options.avatar,
            output=options.output,
            size=options.size,
        )
        return held

    def find(self, session_id: str, tenant: str | None = None) -> HeldSession:
        """
        Args:
            tenant: whose session it must be; of any when the caller shows the session's token.

        Raises:
            NotFound: there is none.
        """
        held = self._sessions.get(session_id)
        if held is None or tenant not in (None, held.tenant):
            raise NotFound("There is no such session; it may have ended.", code="no_session")
        return held

    async def end(self, session_id: str, reason: str) -> None:
        """
        Args:
            reason: for the log.

        Raises:
            NotFound: there is none.
        """
        held = self.find(session_id)
        self._sessions.pop(session_id, None)
        live = held.live
        await live.close()
        held.hang_up()
        await self._places.give_back(session_id)
        reason = live.failure.code if live.failure else reason
        self._telemetry.session_ended(reason)
        self._log.note(
            session_id,
            "ended",
            reason=reason,
            duration_ms=round(1e3 * (time.monotonic() - held.opened_s)),
            late_frames=live.late_frames,
        )

    async def close(self) -> None:
        """End all sessions."""
        self._sweeper.cancel()
        await asyncio.gather(self._sweeper, return_exceptions=True)
        for session_id in list(self._sessions):
            with contextlib.suppress(LipstreamError):
                await self.end(session_id, "shutdown")

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            for session_id, held in list(self._sessions.items()):
                over = held.live.state is SessionState.CLOSED
                if over or held.alone_s() > self._patience_s:
                    with contextlib.suppress(LipstreamError):
                        await self.end(session_id, "failed" if over else "alone")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
