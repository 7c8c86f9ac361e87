"""Anything that carries sound, as mono float32 at the rate that a stage works at.

Accepts every audio file and every video with an audio track that FFmpeg reads: by path, as bytes,
or from an open file, which may be a pipe. Channels are averaged, the result is clipped to
[-1, 1], and memory is bounded by the chunk however long the recording is.

What is tolerated: damaged packets and truncated data (what decodes is taken, with a warning), a
size field left open by a pipe, an odd byte at the end, a rate that changes on the way. What is
refused: see `AudioLimits`, and any sample that is not a finite number, since that is a fault of
whatever wrote the file and would be heard and seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lipstream.audio.demux import Block, Demuxer, open_demuxer
from lipstream.audio.diagnosis import is_cut_short
from lipstream.audio.limits import AudioLimits
from lipstream.audio.media_input import MediaInput, MediaSource, open_media
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.resample import Resampler
from lipstream.errors import BadInput, TooLarge

__all__ = ["Recording", "decode_audio", "decode_chunks"]

_DEFAULT_LIMITS = AudioLimits()
_MAX_RATE_CHANGES = 100
"""Joined recordings change a few times; damage may change at every packet, each at a cost."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole decoded recording."""

    samples: Samples  # [S] in [-1, 1]
    rate_hz: int
    warnings: tuple[str, ...] = ()
    """What was wrong with the file and could be worked around."""

    @property
    def duration_s(self) -> float:
        return self.samples.size / self.rate_hz


def decode_audio(
    source: MediaSource,
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    limits: AudioLimits = _DEFAULT_LIMITS,
) -> Recording:
    """Decode a whole recording at once.

    Raises:
        BadInput, TooLarge, NotFound: as `decode_chunks`.
    """
    warnings: list[str] = []
    chunks = list(decode_chunks(source, rate_hz=rate_hz, limits=limits, on_warning=warnings.append))
    return Recording(np.concatenate(chunks), rate_hz, tuple(warnings))


def decode_chunks(
    source: MediaSource,
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    limits: AudioLimits = _DEFAULT_LIMITS,
    chunk_samples: int = SAMPLE_RATE_HZ,
    on_warning: Callable[[str], object] | None = None,
) -> Iterator[Samples]:  # each [chunk_samples], the last one shorter
    """Decode as a stream. The samples do not depend on `chunk_samples`.

    Args:
        rate_hz: rate of the result; 16 kHz for features, 24 or 48 kHz for a soundtrack.
        on_warning: told, in a sentence, what was worked around.

    Raises:
        NotFound: no file has that path.
        TooLarge: over `limits.max_bytes`, or longer than `limits.max_seconds`; raised as soon as
            that much has been decoded, not after the whole file.
        BadInput: not media, no audio in it, too short, a rate outside the limits, samples that
            are not finite.
    """
    with open_media(source, limits) as media, open_demuxer(media, limits) as demuxer:
        yield from _rechunk(_converted(demuxer, rate_hz, limits), chunk_samples)
        _warn(media, demuxer, on_warning)


def _converted(demuxer: Demuxer, rate_hz: int, limits: AudioLimits) -> Iterator[Samples]:
    """The track at the wanted rate, checked, in pieces as they come."""
    max_samples = round(limits.max_seconds * rate_hz)
    resampler: Resampler | None = None
    total = rate_changes = 0
    for block in demuxer.blocks():
        _check_block(block, total / rate_hz, limits)
        pieces = []
        if resampler is None or resampler.from_hz != block.rate_hz:
            pieces += [resampler.flush()] if resampler else []
            resampler = Resampler(block.rate_hz, rate_hz)
            rate_changes += 1
            _check_rate_changes(rate_changes)
        pieces.append(resampler.push(block.samples))
        for piece in pieces:
            total += piece.size
            yield np.clip(piece, -1.0, 1.0)
        if total > max_samples:
            raise TooLarge(
                f"The audio is longer than the limit of {_spoken(limits.max_seconds)}.",
                remedy="Send it in parts.",
                code="too_long",
            )
    rest = resampler.flush() if resampler else np.zeros(0, np.float32)
    total += rest.size
    _check_length(total / rate_hz, limits)
    yield np.clip(rest, -1.0, 1.0)


def _rechunk(pieces: Iterator[Samples], chunk_samples: int) -> Iterator[Samples]:
    """The same samples in chunks of one size."""
    held: list[Samples] = []
    held_samples = 0
    for piece in pieces:
        held.append(piece)
        held_samples += piece.size
        if held_samples < chunk_samples:
            continue
        joined = np.concatenate(held)
        whole = held_samples - held_samples % chunk_samples
        for start in range(0, whole, chunk_samples):
            yield joined[start : start + chunk_samples]
        held = [joined[whole:]]
        held_samples -= whole
    if held_samples:
        yield np.concatenate(held)


def _check_block(block: Block, at_s: float, limits: AudioLimits) -> None:
    finite = np.isfinite(block.samples)
    if not finite.all():
        place_s = at_s + int(finite.argmin()) / block.rate_hz
        raise BadInput(
            f"The sample at {place_s:.3f} s is not a finite number (NaN or infinity).",
            remedy="The program that wrote the file divided by zero; export it again.",
            code="not_finite",
        )
    if not limits.min_rate_hz <= block.rate_hz <= limits.max_rate_hz:
        raise BadInput(
            f"The sample rate changes to {block.rate_hz:,} Hz at {at_s:.2f} s; "
            f"{limits.min_rate_hz:,} to {limits.max_rate_hz:,} Hz is accepted.",
            remedy="Export the recording again.",
            code="sample_rate",
        )


def _check_rate_changes(count: int) -> None:
    if count > _MAX_RATE_CHANGES:
        raise BadInput(
            f"The sample rate changes more than {_MAX_RATE_CHANGES} times within the file.",
            remedy="Convert it to WAV, FLAC or MP3 and send that.",
            code="damaged_media",
        )


def _check_length(seconds: float, limits: AudioLimits) -> None:
    if seconds == 0:
        raise BadInput(
            "The audio track holds no samples.",
            remedy="Export the recording again.",
            code="empty_audio",
        )
    if seconds < limits.min_seconds:
        raise BadInput(
            f"The audio is {seconds:.4f} s long; at least {limits.min_seconds:g} s is needed.",
            remedy="Send a longer recording.",
            code="too_short",
        )


def _warn(media: MediaInput, demuxer: Demuxer, on_warning: Callable[[str], object] | None) -> None:
    if media.refusal is not None:
        raise media.refusal
    if on_warning is None:
        return
    if demuxer.damaged_packets:
        on_warning(f"{demuxer.damaged_packets} damaged pieces of the audio were skipped.")
    if demuxer.ended_early or is_cut_short(media):
        on_warning("The file is cut short; the audio up to there was taken.")


def _spoken(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
