"""What an agent has said and nobody has heard yet."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from lipstream.errors import BadInput, TooLarge

__all__ = ["Taken", "Utterance", "Utterances"]

_BYTES_A_SAMPLE = 2
_SEAM_US = 100
"""More than what rounding to microseconds leaves between two pieces that touch."""


@dataclass(slots=True)
class Utterance:
    """One turn of the agent. Times are microseconds of the session."""

    number: int
    waiting: bytearray = field(default_factory=bytearray)
    """Samples that were not taken yet, 16-bit PCM."""
    complete: bool = False
    """No more of it will come."""
    stretches: list[tuple[int, int]] = field(default_factory=list)
    """From when to when what was taken is heard, without the pauses in which more had to come."""

    @property
    def start_us(self) -> int | None:
        """When it begins to be heard."""
        return self.stretches[0][0] if self.stretches else None

    @property
    def end_us(self) -> int | None:
        """When all that was taken has been heard."""
        return self.stretches[-1][1] if self.stretches else None

    def take(self, start_us: int, end_us: int) -> None:
        """More of it is heard then."""
        if self.stretches and start_us - self.stretches[-1][1] <= _SEAM_US:
            start_us = self.stretches.pop()[0]
        self.stretches.append((start_us, end_us))

    def position_us(self, now_us: int) -> int:
        """How much of it has been heard."""
        return sum(min(max(now_us - start, 0), end - start) for start, end in self.stretches)


@dataclass(frozen=True, slots=True)
class Taken:
    """A stretch of an utterance, and how many samples into what was asked for it begins."""

    utterance: Utterance
    offset: int
    samples: bytes


class Utterances:
    """In the order in which they were begun.

    Args:
        rate_hz: of the samples.
        most_s: of speech that may wait.
        number: of the last one before.
    """

    def __init__(self, rate_hz: int, most_s: float, number: int = 0) -> None:
        self._most_bytes = int(most_s * rate_hz) * _BYTES_A_SAMPLE
        self._most_s = most_s
        self._queue: deque[Utterance] = deque()
        self.number = number
        """Of the last one."""

    @property
    def waiting_samples(self) -> int:
        return sum(len(own.waiting) for own in self._queue) // _BYTES_A_SAMPLE

    @property
    def waiting(self) -> list[Utterance]:
        """Those that are open, or wait to be heard."""
        return list(self._queue)

    @property
    def speaking(self) -> bool:
        """Whether an utterance is open or waits to be heard."""
        return bool(self._queue)

    def add(self, samples: bytes) -> Utterance:
        """More of the open utterance, or the beginning of a new one.

        Raises:
            BadInput: half a sample is missing.
            TooLarge: too much waits already; nothing of it was taken.
        """
        if len(samples) % _BYTES_A_SAMPLE:
            raise BadInput(
                f"{len(samples)} bytes are not a whole number of 16-bit samples.",
                remedy="Send little-endian 16-bit PCM, mono.",
                code="odd_audio",
            )
        waiting = sum(len(own.waiting) for own in self._queue)
        if waiting + len(samples) > self._most_bytes:
            raise TooLarge(
                f"More than {self._most_s:g} s of speech would wait to be spoken.",
                remedy="Send it as it is spoken, or in several utterances.",
                code="too_far_ahead",
            )
        if not self._queue or self._queue[-1].complete:
            self.number += 1
            self._queue.append(Utterance(self.number))
        self._queue[-1].waiting += samples
        return self._queue[-1]

    def end(self) -> None:
        """No more of the open utterance; nothing where none is open."""
        if self._queue:
            self._queue[-1].complete = True

    def can_give(self, count: int) -> bool:
        """Whether so many samples are there, or what is there is all there will be for now."""
        there = 0
        for own in self._queue:
            there += len(own.waiting) // _BYTES_A_SAMPLE
            if there >= count or (own.waiting and own.complete):
                return True
        return False

    def take(self, count: int) -> list[Taken]:
        """Up to so many samples. One utterance follows the other at once; where one that is not
        complete has no more for now, nothing of the next is taken."""
        taken: list[Taken] = []
        done = 0
        for own in self._queue:
            piece = bytes(own.waiting[: (count - done) * _BYTES_A_SAMPLE])
            if piece:
                del own.waiting[: len(piece)]
                taken.append(Taken(own, done, piece))
                done += len(piece) // _BYTES_A_SAMPLE
            if own.waiting or not own.complete or done == count:
                break
        return taken

    def spent(self) -> list[Utterance]:
        """Remove those of which everything was taken."""
        spent = []
        while self._queue and self._queue[0].complete and not self._queue[0].waiting:
            spent.append(self._queue.popleft())
        return spent

    def clear(self) -> list[Utterance]:
        """Remove all of them."""
        dropped = list(self._queue)
        self._queue.clear()
        return dropped
