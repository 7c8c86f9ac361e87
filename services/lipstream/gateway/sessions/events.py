"""What a session tells its client as JSON (docs/live.md)."""

from __future__ import annotations

from typing import Any, TypeAlias

from lipstream.errors import LipstreamError
from lipstream.gateway.sessions.options import OutputKind, SessionState
from lipstream.gateway.sessions.timeline import Finished, Started

__all__ = [
    "Event",
    "behind_event",
    "error_event",
    "finished_event",
    "started_event",
    "state_event",
]

Event: TypeAlias = dict[str, Any]


def started_event(started: Started) -> Event:
    return {
        "type": "agent.speak_started",
        "utterance": started.utterance,
        "pts_us": started.start_us,
    }


def finished_event(finished: Finished) -> Event:
    return {
        "type": "agent.speak_finished",
        "utterance": finished.utterance,
        "playback_position_ms": finished.position_us // 1000,
        "interrupted": finished.interrupted,
    }


def state_event(
    state: SessionState, output: OutputKind, epoch: int, sound_epoch: int, now_us: int
) -> Event:
    return {
        "type": "session.state_updated",
        "state": state.value,
        "output": output,
        "epoch": epoch,
        "sound_epoch": sound_epoch,
        "now_us": now_us,
    }


def behind_event(behind: bool) -> Event:
    return {"type": "session.behind", "behind": behind}


def error_event(error: LipstreamError) -> Event:
    return {
        "type": "error",
        "code": error.code,
        "detail": error.message,
        "remedy": error.remedy,
    }
