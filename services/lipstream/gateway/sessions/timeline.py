"""The one clock of a session: what is heard next, how far ahead of it, and what has been heard.

The motion model hears one unbroken stream, speech or silence, so the face lives on between
utterances and nothing starts anew. Speech is handed on in pieces of a frame as their time comes
near, a few frames ahead; so an interrupt finds little under way, whatever waits here. What begins
is handed on at once; what follows gains its lead with pauses, so as not to take the cores from the
first picture. Pure: it is told the time, in microseconds since playback began.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lipstream.gateway.sessions.mouth_ease import MouthEase
from lipstream.gateway.sessions.utterances import Utterance, Utterances

__all__ = ["FRAME_US", "Finished", "Heard", "Piece", "Started", "Timeline"]

FRAME_US = 40_000
_LEAD_SILENT_US = 2 * FRAME_US
"""How far ahead of playback silence is handed on: what computing a frame may take."""
_LEAD_SPEAKING_US = 5 * FRAME_US
_GAINING_US = FRAME_US // 2
"""From piece to piece of speech while it gains its lead; twice that after the one that begins."""
_HELD_BACK_US = 2_500
"""More than the audio stage's resampler keeps until it hears what follows. The first piece is so
much longer: so each one completes a frame of motion, which need not wait for another piece."""
_MOST_WAITING_S = 300.0


@dataclass(frozen=True, slots=True)
class Heard:
    """Speech within a piece."""

    pts_us: int
    samples: bytes


@dataclass(frozen=True, slots=True)
class Started:
    utterance: int
    start_us: int


@dataclass(frozen=True, slots=True)
class Finished:
    utterance: int
    position_us: int
    """How much of it was heard."""
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A frame's worth of sound for the motion model, the first one a little more."""

    pts_us: int
    samples: bytes  # 16-bit PCM, silence where nobody speaks
    heard: tuple[Heard, ...]
    started: tuple[Started, ...]


class Timeline:
    """
    Args:
        rate_hz: of the samples; a frame holds a whole number of them.
        look_ahead_us: how much sound after its own beginning a frame of motion waits for.
        start_us: where the sound begins.
        utterance: number of the last one before.
    """

    def __init__(
        self, rate_hz: int, look_ahead_us: int, *, start_us: int = 0, utterance: int = 0
    ) -> None:
        self._rate_hz = rate_hz
        self._look_ahead_us = look_ahead_us
        self.fed_us = start_us
        """Up to here sound was handed on."""
        self._piece_us = FRAME_US + _HELD_BACK_US
        """Of the next one."""
        self._gaining_from_us: int | None = None
        """When more speech may be handed on only to gain lead, once some was."""
        self._spoken_us = 0
        """Up to here speech was handed on."""
        self._playing: list[Utterance] = []
        """Taken whole, not yet heard whole."""
        self.utterances = Utterances(rate_hz, _MOST_WAITING_S, utterance)
        self.mouth = MouthEase()

    @property
    def speaking(self) -> bool:
        """Whether an utterance is open, waits or plays."""
        return self.utterances.speaking or bool(self._playing)

    def due_us(self) -> int:
        """When the next piece is to be handed on."""
        end_us = self.fed_us + self._piece_us - self._look_ahead_us
        latest_us = end_us - _LEAD_SILENT_US
        if not self.utterances.can_give(self._piece_samples):
            return latest_us
        gaining_us = end_us - _LEAD_SPEAKING_US
        if self._gaining_from_us is not None:
            gaining_us = max(gaining_us, self._gaining_from_us)
        return min(latest_us, gaining_us)

    def next_piece(self, now_us: int) -> Piece:
        """The next frame of sound: what waits, and silence for what is missing."""
        pts_us, count = self.fed_us, self._piece_samples
        samples = bytearray()
        heard: list[Heard] = []
        started: list[Started] = []
        for taken in self.utterances.take(count):
            start_us = pts_us + self._duration_us(taken.offset)
            end_us = start_us + self._duration_us(len(taken.samples) // 2)
            own = taken.utterance
            if own.start_us is None:
                own.start_us = start_us
                started.append(Started(own.number, start_us))
                self.mouth.speech_begins(start_us)
            own.end_us = self._spoken_us = end_us
            heard.append(Heard(start_us, taken.samples))
            samples += taken.samples
        self._playing += self.utterances.spent()
        if heard:
            self._gaining_from_us = now_us + (2 if started else 1) * _GAINING_US
        samples += bytes(2 * count - len(samples))
        self.fed_us += self._piece_us
        self._piece_us = FRAME_US
        return Piece(pts_us, bytes(samples), tuple(heard), tuple(started))

    def interrupt(self, now_us: int) -> list[Finished]:
        """Drop what was not heard yet; what became of the utterances it belonged to."""
        dropped = self._playing + self.utterances.clear()
        self._playing = []
        if self._spoken_us > now_us:
            self.mouth.interrupt(now_us, self.fed_us)
        self._spoken_us = min(self._spoken_us, now_us)
        return [Finished(own.number, _position_us(own, now_us), True) for own in dropped]

    def finished(self, now_us: int) -> Iterator[Finished]:
        """Utterances that have been heard by now, each once."""
        while self._playing:
            own = self._playing[0]
            # One whose end came after its last samples had been taken, or that held none.
            end_us = own.end_us if own.end_us is not None else now_us
            if end_us > now_us:
                return
            self._playing.pop(0)
            yield Finished(own.number, _position_us(own, end_us), False)

    def outlook(self) -> list[Finished]:
        """What becomes of the utterances of now if no more of them is handed on."""
        whole = [
            Finished(own.number, _position_us(own, self.fed_us), False) for own in self._playing
        ]
        waiting = self.utterances.waiting
        return whole + [
            Finished(own.number, _position_us(own, self.fed_us), True) for own in waiting
        ]

    def heard_whole_us(self) -> int | None:
        """When the next utterance will have been heard."""
        return self._playing[0].end_us if self._playing else None

    def settle(self) -> None:
        """Take notice that an open utterance was ended after all of it had been taken."""
        self._playing += self.utterances.spent()

    @property
    def _piece_samples(self) -> int:
        return self._rate_hz * self._piece_us // 1_000_000

    def _duration_us(self, samples: int) -> int:
        return samples * 1_000_000 // self._rate_hz


def _position_us(own: Utterance, now_us: int) -> int:
    if own.start_us is None:
        return 0
    heard_us = now_us - own.start_us
    if own.end_us is not None:
        heard_us = min(heard_us, own.end_us - own.start_us)
    return max(heard_us, 0)
