"""What another gateway needs to go on with a session whose own is gone."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from lipstream.face.face_controls import FaceControls
from lipstream.gateway.sessions.events import Event
from lipstream.gateway.sessions.options import SessionOptions, SessionOutput
from lipstream.gateway.sessions.steady_call import StageState
from lipstream.gateway.sessions.timeline import Finished

__all__ = ["LEAP", "LiveSnapshot", "SessionSnapshot"]

LEAP = 1000
"""Epochs and utterances are counted on from so much further: a client may have been told of some
that a snapshot does not know."""


class _Snapshot(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class LiveSnapshot(_Snapshot):
    """What runs. Speech that was not handed on yet is not in it."""

    origin_unix_us: int
    """When the session's clock began, on that of the machines."""
    epoch: int
    output: SessionOutput
    controls: FaceControls
    utterance: int
    """The last one's number."""
    outlook: tuple[Finished, ...]
    """What becomes of the utterances of now if no more of them is handed on."""
    motion: StageState
    look_ahead_ms: int


class SessionSnapshot(_Snapshot):
    """What runs, whose it is, and what is owed to its client."""

    tenant: str
    secret: str = Field(repr=False)
    """That signs the tokens which open it."""
    key_id: str | None
    key_sessions: int
    """That the key may have open."""
    opened_unix_s: float
    options: SessionOptions
    untold: tuple[Event, ...]
    """Happened while nobody was connected."""
    live: LiveSnapshot
