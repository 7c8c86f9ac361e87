"""Sound against picture, as a client has them: do the lips move when the voice says so?

What was seen of the mouth in each utterance is held against a film of the same speech that was
made in one piece, whose sound and pictures begin together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lipstream.audio import resample
from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.mel import log_mel
from lipstream.audio.pcm import SAMPLE_RATE_HZ
from lipstream.client import MediaKind, MediaMessage
from lipstream.client.pictures import PictureDecoder
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats, Motion
from lipstream.motion import generate, open_generator
from lipstream.render import SplatRenderer
from lipstream.render.geometry import Doubles
from lipstream.render.splats import Bytes

__all__ = ["Film", "Seen", "offset_ms"]

_FARTHEST_MS, _STEP_MS = 200, 2
_LEAST_R = 0.7
"""Of an utterance in which the mouth can be followed."""
_LEAST_S = 2.0
_MOUTH_SHARE = 0.01
"""Of the picture: what changes most when the mouth alone moves."""


@dataclass(frozen=True, slots=True)
class Film:
    """What the pictures of an utterance show of the mouth when nothing is late."""

    times_s: Doubles  # [T] from the beginning of its sound
    curve: Floats  # [T] mean brightness about the mouth
    where: Bytes  # [S, S] of type bool: which pixels that is

    @classmethod
    def of(cls, model: AvatarModel, size_px: int, speech: bytes, rate_hz: int) -> Film:
        """
        Args:
            speech: 16-bit PCM.
        """
        samples = np.frombuffer(speech, "<i2").astype(np.float32) / 32768
        mel = log_mel(resample(samples, rate_hz, SAMPLE_RATE_HZ))
        motion = Motion.concatenate(generate(open_generator(), [SpeechEncoder().encode(mel)]))
        still = replace(
            motion,
            rotation=np.zeros_like(motion.rotation),
            translation=np.zeros_like(motion.translation),
        )
        renderer = SplatRenderer(model, size_px)
        pictures = [
            renderer.yuv420p(renderer.pose(still, k))[:size_px].copy() for k in range(len(still))
        ]
        changes = np.std(np.array(pictures), axis=0)
        changes[: size_px // 2] = 0  # eyes and brows
        where = changes >= np.quantile(changes, 1 - _MOUTH_SHARE)
        curve = np.array([picture[where].mean() for picture in pictures], np.float32)
        return cls(np.arange(len(curve)) / motion.fps, curve, where)


@dataclass(slots=True)
class _Utterance:
    starts_us: list[int] = field(default_factory=list)
    """Of pieces of its sound."""
    samples: list[int] = field(default_factory=list)
    """Of it, before each piece."""
    end_us: int = 0
    count: int = 0

    def add(self, piece: MediaMessage, rate_hz: int) -> None:
        self.starts_us.append(piece.pts_us)
        self.samples.append(self.count)
        self.count += len(piece.payload) // 2
        self.end_us = piece.pts_us + len(piece.payload) // 2 * 1_000_000 // rate_hz


class Seen:
    """What one client was sent, to be looked at when all is over."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._pictures: list[MediaMessage] = []
        self._utterances: list[_Utterance] = []

    def begins(self) -> None:
        """An utterance does."""
        self._utterances.append(_Utterance())

    def add(self, media: MediaMessage) -> None:
        if media.kind is MediaKind.VIDEO:
            self._pictures.append(media)
        elif media.kind is MediaKind.AUDIO and self._utterances:
            self._utterances[-1].add(media, self._rate_hz)

    def offsets_ms(self, film: Film) -> list[float]:
        """Of each utterance that was heard long enough: how much later its pictures are than its
        sound."""
        times_us, curve = _mouth(self._pictures, film.where)
        found = []
        for utterance in self._utterances:
            if utterance.count < _LEAST_S * self._rate_hz:
                continue
            first, last = np.searchsorted(times_us, (utterance.starts_us[0], utterance.end_us))
            heard_us = times_us[first:last]
            # Where speech paused, the sound heard then is later by as much.
            piece = np.searchsorted(utterance.starts_us, heard_us, side="right") - 1
            before = np.array(utterance.samples)[piece] / self._rate_hz
            into_s = before + (heard_us - np.array(utterance.starts_us)[piece]) / 1e6
            offset = offset_ms(into_s, curve[first:last], film.times_s, film.curve)
            if offset is not None:
                found.append(offset)
        return found


def offset_ms(times_s: Doubles, curve: Floats, film_s: Doubles, film: Floats) -> float | None:
    """How much later a curve is than the film's, at most 200 ms; None where they are not alike."""
    if len(curve) < 2:
        return None
    offsets_ms = np.arange(-_FARTHEST_MS, _FARTHEST_MS + 1, _STEP_MS)
    alike = [
        np.corrcoef(curve, np.interp(times_s - offset / 1e3, film_s, film))[0, 1]
        for offset in offsets_ms
    ]
    best = int(np.argmax(alike))
    return float(offsets_ms[best]) if alike[best] >= _LEAST_R else None


def _mouth(
    pictures: Sequence[MediaMessage], where: Bytes
) -> tuple[Doubles, Floats]:  # [T] us, [T] brightness
    decoder, size_px = PictureDecoder(), len(where)
    seen = [
        (media.pts_us, frame.to_ndarray(format="yuv420p")[:size_px][where].mean())
        for media in pictures
        for frame in decoder.decode(media)
    ]
    times_us, curve = np.array(seen, np.float64).reshape(-1, 2).T
    return times_us, curve.astype(np.float32)
