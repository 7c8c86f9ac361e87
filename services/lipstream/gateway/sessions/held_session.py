"""A session, who may watch it, and who does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lipstream.errors import Conflict
from lipstream.gateway.sessions.connection import Connection
from lipstream.gateway.sessions.events import Event, finished_event
from lipstream.gateway.sessions.live_session import LiveSession, Sent
from lipstream.gateway.sessions.options import SessionState
from lipstream.gateway.sessions.session_log import SessionLog
from lipstream.gateway.sessions.snapshot import SessionSnapshot

__all__ = ["HeldSession", "Owner"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a session is."""

    tenant: str
    secret: str = field(repr=False)
    """That signs the tokens which open it."""
    key_id: str | None
    """Of the API key, where keys are asked for."""
    key_sessions: int
    """That the key may have open."""


class HeldSession:
    """
    Args:
        make: the session, given what takes what it sends.
        turned: called where something happened that a snapshot should hold.
        opened_unix_s: when it was opened, maybe by another gateway.
    """

    def __init__(
        self,
        owner: Owner,
        make: Callable[[Callable[[Sent], None]], LiveSession],
        log: SessionLog,
        turned: Callable[[str], None],
        opened_unix_s: float,
    ) -> None:
        self.owner = owner
        self.opened_unix_s = opened_unix_s
        self._log = log
        self._turned = turned
        self._connection: Connection | None = None
        self._alone_since_s = time.monotonic()
        self._untold: list[Event] = []
        """Ends of utterances, while nobody was connected."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.live = make(self._send)

    async def restore(self, snapshot: SessionSnapshot) -> None:
        """Open the session where the snapshot was made.

        Raises:
            LipstreamError: a stage is away, or full.
        """
        await self.live.open(snapshot.live)
        self._untold = list(snapshot.untold)
        for finished in snapshot.live.outlook:
            self._send(finished_event(finished))

    @property
    def speaking(self) -> bool:
        return self.live.state is SessionState.SPEAKING

    def snapshot(self) -> SessionSnapshot | None:
        """None while it opens, and once it has ended."""
        if self.live.state in (SessionState.CONNECTING, SessionState.CLOSED):
            return None
        owner = self.owner
        return SessionSnapshot(
            tenant=owner.tenant,
            secret=owner.secret,
            key_id=owner.key_id,
            key_sessions=owner.key_sessions,
            opened_unix_s=self.opened_unix_s,
            options=self.live.options,
            untold=tuple(self._untold),
            live=self.live.snapshot(),
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
        for event in self._untold:
            connection.put(event)
        self._untold.clear()
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
        if isinstance(item, dict):
            self._turned(self.live.id)
            if item["type"] == "agent.speak_finished":
                self._finished(item)
        if self._connection is not None:
            self._connection.put(item)

    def _finished(self, event: Event) -> None:
        self._log.note(
            self.live.id,
            "spoke",
            utterance=event["utterance"],
            heard_ms=event["playback_position_ms"],
            interrupted=int(event["interrupted"]),
        )
        if self._connection is None:
            self._untold.append(event)
