"""The sessions of this gateway: made, found by their token, ended when nobody comes back; and those
that other gateways left behind, gone on with when their clients come here."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time

from lipstream.errors import LipstreamError, NotFound, Overloaded
from lipstream.gateway.principal import Principal
from lipstream.gateway.sessions.held_session import HeldSession, Owner
from lipstream.gateway.sessions.live_session import LiveSession
from lipstream.gateway.sessions.options import SessionOptions, SessionState
from lipstream.gateway.sessions.places import SessionPlaces
from lipstream.gateway.sessions.session_log import SessionLog
from lipstream.gateway.sessions.session_meter import SessionMeter
from lipstream.gateway.sessions.session_token import check_token, new_secret, new_token
from lipstream.gateway.sessions.snapshot import SessionSnapshot
from lipstream.gateway.sessions.snapshots import Snapshots
from lipstream.gateway.sessions.stage_calls import Stages
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.telemetry import Telemetry

__all__ = ["SessionRegistry"]

_SWEEP_S = 1.0
_ABANDONED_S = 15.0


class SessionRegistry:
    """
    Args:
        link: to Redis, where snapshots are kept.
        stages: who does the work.
        places: how many sessions a caller has.
        most: sessions at once.
        patience_s: how long a session waits for a client that is not, or no longer, connected.
        token_life_s: how long a token opens a session's socket.
    """

    def __init__(
        self,
        link: RedisLink,
        stages: Stages,
        log: SessionLog,
        places: SessionPlaces,
        telemetry: Telemetry,
        *,
        most: int,
        patience_s: float,
        token_life_s: float,
    ) -> None:
        self._stages = stages
        self._log = log
        self._places = places
        self._telemetry = telemetry
        self._most = most
        self._patience_s = patience_s
        self._token_life_s = token_life_s
        self._sessions: dict[str, HeldSession] = {}
        self._snapshots = Snapshots(link, self._sessions, self._lost, patience_s)
        self._restoring: dict[str, asyncio.Task[HeldSession]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._sweeper = asyncio.create_task(self._sweep())

    def __len__(self) -> int:
        return len(self._sessions)

    def by_state(self) -> dict[str, int]:
        """How many sessions are in each state."""
        counts = dict.fromkeys((str(state) for state in SessionState), 0)
        for held in self._sessions.values():
            counts[held.live.state] += 1
        return counts

    async def open(self, caller: Principal, options: SessionOptions) -> tuple[HeldSession, str]:
        """A new session, and the token that opens its socket.

        Raises:
            Overloaded: there are as many sessions as there may be, or as the caller may have.
            LipstreamError: a stage cannot do what is asked for, or is away.
        """
        session_id, secret = secrets.token_hex(8), new_secret()
        began_s = time.monotonic()
        owner = Owner(caller.tenant, secret, caller.key_id, caller.sessions)
        held = await self._begun(session_id, owner, options)
        await self._snapshots.keep(session_id)
        self._telemetry.session_opened(time.monotonic() - began_s)
        self._log.note(
            session_id,
            "opened",
            tenant=caller.tenant,
            avatar=options.avatar,
            output=options.output,
            size=options.size,
        )
        return held, new_token(secret, self._token_life_s)

    async def reach(self, session_id: str, token: str) -> HeldSession:
        """The session that a token opens. One that another gateway held goes on here.

        Raises:
            NotFound: there is none.
            Forbidden: the token is not its, or has expired.
            Overloaded, Unavailable: it cannot go on now.
        """
        if session_id in self._sessions and session_id not in self._restoring:
            await self._snapshots.check(session_id)
        if session_id not in self._sessions:
            check_token(token, (await self._left_behind(session_id)).secret)
        # Another client may have begun with it meanwhile.
        if session_id not in self._sessions and session_id not in self._restoring:
            task = asyncio.create_task(self._restore(session_id))
            self._restoring[session_id] = task
            task.add_done_callback(lambda task: self._restored(session_id, task))
        if (restoring := self._restoring.get(session_id)) is not None:
            held = await asyncio.shield(restoring)
        else:
            held = self._sessions[session_id]
        check_token(token, held.owner.secret)
        return held

    async def find(self, session_id: str, tenant: str) -> HeldSession | SessionSnapshot:
        """A tenant's session, or what is known of it where another gateway has it.

        Raises:
            NotFound: there is none.
        """
        found = self._sessions.get(session_id) or await self._left_behind(session_id)
        if _owned(found).tenant != tenant:
            raise _no_session()
        return found

    def renewed_token(self, found: HeldSession | SessionSnapshot) -> str:
        """Another token of a session, whichever gateway has it. Those before it go on as long as
        they would."""
        return new_token(_owned(found).secret, self._token_life_s)

    async def end(self, session_id: str, reason: str) -> None:
        """
        Args:
            reason: for the log.

        Raises:
            NotFound: there is none.
        """
        held = self._sessions.pop(session_id, None)
        if held is None:
            return await self._end_elsewhere(session_id, reason)
        live = held.live
        self._snapshots.forget(session_id)
        await self._close(held)
        await self._places.give_back(session_id)
        reason = live.failure.code if live.failure else reason
        self._telemetry.session_ended(reason)
        self._note_end(session_id, reason, held.opened_unix_s, late_frames=live.late_frames)

    async def close(self) -> None:
        """Leave all sessions to another gateway, or to this one when it is back."""
        self._sweeper.cancel()
        for restoring in self._restoring.values():
            restoring.cancel()
        await asyncio.gather(
            self._sweeper, *self._restoring.values(), *self._leaving, return_exceptions=True
        )
        await self._snapshots.close()
        for session_id, held in list(self._sessions.items()):
            await self._close(held)
            self._telemetry.session_ended("shutdown")
            self._log.note(session_id, "suspended")

    async def _begun(
        self,
        session_id: str,
        owner: Owner,
        options: SessionOptions,
        snapshot: SessionSnapshot | None = None,
    ) -> HeldSession:
        if len(self._sessions) >= self._most:
            raise Overloaded(
                f"{self._most} sessions are open, as many as there may be.",
                remedy="Wait until one has ended.",
                code="sessions_full",
            )
        meter = SessionMeter(session_id, self._telemetry)
        held = HeldSession(
            owner,
            lambda send: LiveSession(session_id, options, self._stages, meter, send),
            self._log,
            self._snapshots.note,
            snapshot.opened_unix_s if snapshot else time.time(),
        )
        self._sessions[session_id] = held  # counts from now on, while it connects
        try:
            if owner.key_id is not None:
                await self._places.take(session_id, owner.key_id, owner.key_sessions)
            if snapshot is None:
                await held.live.open()
            else:
                await held.restore(snapshot)
        except BaseException:
            del self._sessions[session_id]
            await self._places.give_back(session_id)
            raise
        return held

    async def _restore(self, session_id: str) -> HeldSession:
        snapshot = await self._snapshots.take(session_id)
        if snapshot is None:
            raise _no_session()
        owner = Owner(snapshot.tenant, snapshot.secret, snapshot.key_id, snapshot.key_sessions)
        held = await self._begun(session_id, owner, snapshot.options, snapshot)
        self._log.note(session_id, "resumed")
        return held

    def _restored(self, session_id: str, task: asyncio.Task[HeldSession]) -> None:
        del self._restoring[session_id]
        if not task.cancelled():
            task.exception()  # whoever waited has been told

    async def _left_behind(self, session_id: str) -> SessionSnapshot:
        snapshot = await self._snapshots.read(session_id)
        if snapshot is None:
            raise _no_session()
        return snapshot

    async def _end_elsewhere(self, session_id: str, reason: str) -> None:
        snapshot = await self._snapshots.take(session_id)
        if snapshot is None:
            raise _no_session()
        self._snapshots.forget(session_id)
        await self._places.give_back(session_id, snapshot.key_id)
        self._note_end(session_id, reason, snapshot.opened_unix_s)

    def _lost(self, session_id: str) -> None:
        """Another gateway goes on with it."""
        held = self._sessions.pop(session_id)
        self._places.leave(session_id)
        self._telemetry.session_ended("moved")
        leaving = asyncio.create_task(self._close(held))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _close(self, held: HeldSession) -> None:
        await held.live.close()
        held.hang_up()

    def _note_end(self, session_id: str, reason: str, opened_unix_s: float, **fields: int) -> None:
        duration_ms = round(1e3 * (time.time() - opened_unix_s))
        self._log.note(session_id, "ended", reason=reason, duration_ms=duration_ms, **fields)

    async def _sweep(self) -> None:
        look_s = 0.0
        while True:
            await asyncio.sleep(_SWEEP_S)
            if time.monotonic() > look_s:
                look_s = time.monotonic() + _ABANDONED_S
                with contextlib.suppress(LipstreamError):
                    await self._note_abandoned()
            for session_id, held in list(self._sessions.items()):
                over = held.live.state is SessionState.CLOSED
                if over or held.alone_s() > self._patience_s:
                    with contextlib.suppress(LipstreamError):
                        await self.end(session_id, "failed" if over else "alone")

    async def _note_abandoned(self) -> None:
        """The ends of sessions whose gateway died and whose client did not come back."""
        for session_id, (opened_s, seen_s) in (await self._snapshots.abandoned()).items():
            duration_ms = round(1e3 * (seen_s - opened_s))
            self._log.note(session_id, "ended", reason="abandoned", duration_ms=duration_ms)


def _owned(found: HeldSession | SessionSnapshot) -> Owner | SessionSnapshot:
    return found.owner if isinstance(found, HeldSession) else found


def _no_session() -> NotFound:
    return NotFound(
        "There is no such session; it may have ended.",
        remedy="Open another with POST /v1/sessions.",
        code="no_session",
    )
