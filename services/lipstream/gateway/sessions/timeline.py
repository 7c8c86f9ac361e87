"""The one clock of a session: what is heard next, how far ahead of it, and what has been heard.

The motion model hears one unbroken stream, speech or silence, so the face lives on between
utterances and nothing starts anew. Speech is handed on in pieces of a frame as their time comes
near, a few frames ahead; so an interrupt finds little under way, whatever waits here. What begins
is handed on at once; what follows gains its lead with pauses, so as not to take the cores from the
first picture. Pure: it is told the time, in microseconds since playback began.

Stages that fall behind are not handed more than they answer. What they make of silence is then
seen later; speech pauses until they have caught up. Either way all that is seen and heard after it
comes later by as much, in sync, and no word is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from lipstream.gateway.sessions.lead import MOST_LEAD_US, Lead
from lipstream.gateway.sessions.mouth_ease import MouthEase
from lipstream.gateway.sessions.stage_clock import FRAME_US, StageClock, up_to_frames
from lipstream.gateway.sessions.utterances import Utterance, Utterances

__all__ = ["FRAME_US", "LATE_US", "Finished", "Heard", "Piece", "Started", "Timeline"]

LATE_US = 3 * FRAME_US
"""A frame that is so late is not shown any more."""
_GAINING_US = FRAME_US // 2
"""From piece to piece of speech while it gains its lead; twice that after the one that begins."""
_HELD_BACK_US = 2_500
"""More than the audio stage's resampler keeps until it hears what follows. The first piece is so
much longer: so each one completes a frame of motion, which need not wait for another piece."""
_DRAWN_IN_US = FRAME_US // 2
"""A frame that comes so much after its time can still be drawn before its time is over."""
_MOST_LATE_FRAMES = 5
"""In a row: more than a moment's delay, which the next frames make up for."""
_MOST_UNANSWERED_US = MOST_LEAD_US + LATE_US
"""Stages that owe frames for so much sound are handed no more: as long as they may take, and their
frames still be shown."""
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
    stage_us: int
    """Its beginning in the stages' time."""
    samples: bytes  # 16-bit PCM, silence where nobody speaks
    heard: tuple[Heard, ...]
    started: tuple[Started, ...]


class Timeline:
    """
    Args:
        rate_hz: of the samples; a frame holds a whole number of them.
        look_ahead_us: how much sound after its own beginning a frame of motion waits for; may
            change with the stages.
        start_us: where the sound begins.
        stage_us: the same moment in the stages' time, whole frames from it.
        utterance: number of the last one before.
    """

    def __init__(
        self,
        rate_hz: int,
        look_ahead_us: int,
        *,
        start_us: int = 0,
        stage_us: int = 0,
        utterance: int = 0,
    ) -> None:
        self._rate_hz = rate_hz
        self.look_ahead_us = look_ahead_us
        self._clock = StageClock(start_us - stage_us)
        self._lead = Lead()
        self._piece_us = FRAME_US + _HELD_BACK_US
        # Of the stages' time:
        self._fed_us = stage_us
        self._spoken_fed_us = stage_us
        """End of the last speech that was handed on, and not dropped."""
        self._next_us = stage_us
        """The frame of motion that comes next."""
        self._given_up_us = stage_us
        """Frames before it are of sound that was heard without them."""
        self._late_frames = 0
        """Of silence, in a row, that came too late to be on time."""
        self._catching_up = False
        """Speech pauses until the stages have answered what they were handed."""
        # Of the session's:
        self._spoken_us = start_us
        self._gaining_from_us: int | None = None
        self._playing: list[Utterance] = []
        """Taken whole, not yet heard whole."""
        self.delayed_us = 0
        """By how much all was delayed so far because stages were behind."""
        self.utterances = Utterances(rate_hz, _MOST_WAITING_S, utterance)
        self.mouth = MouthEase()

    @classmethod
    def going_on(
        cls, rate_hz: int, look_ahead_us: int, *, earliest_us: int, stage_us: int, utterance: int
    ) -> Self:
        """What is heard from about `earliest_us` on follows at once on what the stages heard last,
        however long ago; the mouth begins at rest."""
        start_us = stage_us + up_to_frames(earliest_us - stage_us)
        timeline = cls(
            rate_hz, look_ahead_us, start_us=start_us, stage_us=stage_us, utterance=utterance
        )
        timeline.mouth.interrupt(start_us, start_us)
        return timeline

    @property
    def fed_us(self) -> int:
        """When what is handed on next will be heard."""
        return self._clock.session_us(self._fed_us)

    @property
    def behind(self) -> bool:
        """Whether the stages cannot keep up, or could not a few seconds ago."""
        return self._lead.raised or self.due_us() is None

    @property
    def speaking(self) -> bool:
        """Whether an utterance is open, waits or plays."""
        return self.utterances.speaking or bool(self._playing)

    def due_us(self) -> int | None:
        """When the next piece is to be handed on; None where the stages have to answer first."""
        end_us = self.fed_us + self._piece_us - self.look_ahead_us
        due_us = end_us - self._lead.us
        if self.utterances.can_give(self._piece_samples):
            gaining_us = end_us - MOST_LEAD_US
            if self._gaining_from_us is not None:
                gaining_us = max(gaining_us, self._gaining_from_us)
            due_us = min(due_us, gaining_us)
        waits = self._catching_up or self._unanswered_us >= _MOST_UNANSWERED_US
        return None if waits else due_us

    def next_piece(self, now_us: int) -> Piece:
        """The next frame of sound: what waits, and silence for what is missing."""
        if self.fed_us < now_us:
            self._wait(now_us)
        pts_us, count = self.fed_us, self._piece_samples
        samples = bytearray()
        heard: list[Heard] = []
        started: list[Started] = []
        for taken in self.utterances.take(count):
            start_us = pts_us + self._duration_us(taken.offset)
            end_us = start_us + self._duration_us(len(taken.samples) // 2)
            own = taken.utterance
            if own.start_us is None:
                started.append(Started(own.number, start_us))
                self.mouth.speech_begins(start_us)
            own.take(start_us, end_us)
            self._spoken_us = end_us
            heard.append(Heard(start_us, taken.samples))
            samples += taken.samples
        self._playing += self.utterances.spent()
        samples += bytes(2 * count - len(samples))
        piece = Piece(pts_us, self._fed_us, bytes(samples), tuple(heard), tuple(started))
        self._fed_us += self._piece_us
        self._piece_us = FRAME_US
        if heard:
            self._spoken_fed_us = self._fed_us
            if self._unanswered_us > 0:  # or the stages still lack sound for their very first frame
                first = started or self._gaining_from_us is None
                self._gaining_from_us = now_us + (2 if first else 1) * _GAINING_US
        return piece

    def moved(self, stage_us: int, frames: int, now_us: int) -> None:
        """So many frames of motion came, from this moment of the stages on."""
        late_us = now_us - self.seen_us(stage_us)
        self._next_us = stage_us + frames * FRAME_US
        self._clock.passed(stage_us)
        if stage_us < self._given_up_us:
            pass
        elif stage_us < self._spoken_fed_us:
            # The client was told of the sound that belongs to it.
            self._catching_up = self._catching_up or late_us > LATE_US
        elif not self._catching_up:
            self._late_frames = self._late_frames + 1 if late_us > _DRAWN_IN_US else 0
            if late_us > LATE_US or self._late_frames == _MOST_LATE_FRAMES:
                self._late_frames = 0
                self._lead.late(now_us)
                self._delay(stage_us, late_us + FRAME_US)
        if self._catching_up and self._unanswered_us <= FRAME_US:
            self._wait(now_us)

    def seen_us(self, stage_us: int) -> int:
        """When the frame of motion of this moment of the stages is seen."""
        return self._clock.session_us(stage_us)

    def shown(self, pts_us: int, now_us: int) -> None:
        """A picture, or frame of motion, went to the client."""
        spare_us = pts_us + FRAME_US - now_us
        if spare_us < 0:
            self._lead.late(now_us)
        elif pts_us >= self._spoken_us:
            self._lead.on_time(spare_us, now_us)

    def interrupt(self, now_us: int) -> list[Finished]:
        """Drop what was not heard yet; what became of the utterances it belonged to."""
        dropped = self._playing + self.utterances.clear()
        self._playing = []
        if self._spoken_us > now_us:
            self.mouth.interrupt(now_us, self.fed_us)
        self._spoken_us = min(self._spoken_us, now_us)
        self._spoken_fed_us = min(self._spoken_fed_us, self._next_us)
        self._catching_up = False
        return [Finished(own.number, own.position_us(now_us), True) for own in dropped]

    def finished(self, now_us: int) -> Iterator[Finished]:
        """Utterances that have been heard by now, each once."""
        while self._playing:
            own = self._playing[0]
            # One whose end came after its last samples had been taken, or that held none.
            end_us = own.end_us if own.end_us is not None else now_us
            if end_us > now_us:
                return
            self._playing.pop(0)
            yield Finished(own.number, own.position_us(end_us), False)

    def outlook(self) -> list[Finished]:
        """What becomes of the utterances of now if no more of them is handed on."""
        fed_us = self.fed_us
        return [Finished(own.number, own.position_us(fed_us), False) for own in self._playing] + [
            Finished(own.number, own.position_us(fed_us), True) for own in self.utterances.waiting
        ]

    def heard_whole_us(self) -> int | None:
        """When the next utterance will have been heard."""
        return self._playing[0].end_us if self._playing else None

    def settle(self) -> None:
        """Take notice that an open utterance was ended after all of it had been taken."""
        self._playing += self.utterances.spent()

    @property
    def _unanswered_us(self) -> int:
        """How much of what was handed on the stages owe frames of motion for: 0 where the next one
        needs another piece."""
        return self._fed_us - _HELD_BACK_US - self.look_ahead_us - self._next_us + FRAME_US

    def _wait(self, now_us: int) -> None:
        """Have what was not handed on yet heard later, as far ahead as speech is handed on."""
        self._catching_up = False
        self._lead.late(now_us)
        self._given_up_us = self._fed_us - self._fed_us % FRAME_US
        wanted_us = now_us + self.look_ahead_us + MOST_LEAD_US - FRAME_US
        self._delay(self._given_up_us, wanted_us - self.fed_us)

    def _delay(self, stage_us: int, delay_us: int) -> None:
        if delay_us > 0:
            delay_us = up_to_frames(delay_us)
            self.mouth.delay(self.seen_us(stage_us), delay_us)
            self._clock.delay(stage_us, delay_us)
            self.delayed_us += delay_us

    @property
    def _piece_samples(self) -> int:
        return self._rate_hz * self._piece_us // 1_000_000

    def _duration_us(self, samples: int) -> int:
        return samples * 1_000_000 // self._rate_hz
