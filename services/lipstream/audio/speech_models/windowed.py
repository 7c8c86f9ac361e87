"""Streams through a network that knows only whole recordings: window by window."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from lipstream.audio.encoder import Features
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.speech_models.window import ROW_SAMPLES, StreamWindow, WindowState
from lipstream.errors import BadInput, TooLarge
from lipstream.inference import EncoderIdentity, note_faults

__all__ = ["SpeechNetwork", "WindowedExtractor"]

_BATCH = 8
_LONGEST_WHOLE_S = 120.0


class SpeechNetwork(Protocol):
    """A pretrained encoder; row `j` of its features is about sample `320 j + centre_samples`."""

    @property
    def feature_count(self) -> int: ...

    @property
    def tail_samples(self) -> int:
        """That the last row covers beyond its own 320."""
        ...

    @property
    def centre_samples(self) -> int: ...

    @property
    def most_rows(self) -> int | None:
        """Of one call; None where there is no limit."""
        ...

    @property
    def identity(self) -> EncoderIdentity: ...

    def run(self, windows: Samples) -> Features:
        """Features `# [B, T, D]` of windows `# [B, 320 T + tail_samples]`."""
        ...


class WindowedExtractor:
    """Features at 50 Hz of streams; holds weights only, so one serves all sessions.

    Raises:
        BadInput: the network does not take windows of that length.
    """

    def __init__(self, network: SpeechNetwork, window: StreamWindow) -> None:
        if network.most_rows is not None and window.rows > network.most_rows:
            raise BadInput(
                f"The window is {window.rows / 50:g} s long; this encoder takes at most "
                f"{network.most_rows / 50:g} s.",
                remedy="Lower left_s.",
            )
        self._network = network
        self.window = window

    @property
    def feature_count(self) -> int:
        return self._network.feature_count

    @property
    def identity(self) -> EncoderIdentity:
        """Windows are no part of it: others change a model's features little."""
        return self._network.identity

    @property
    def latency_ms(self) -> float:
        return self.window.latency_ms(self._network.tail_samples)

    @property
    def row_centre_ms(self) -> float:
        return 1000 * self._network.centre_samples / SAMPLE_RATE_HZ

    def initial_state(self) -> WindowState:
        return WindowState.initial()

    def decode_state(self, data: bytes) -> WindowState:
        return WindowState.decode(data)

    def step(self, samples: Samples, state: WindowState) -> tuple[Features, WindowState]:
        """Features `# [T, D]` of the blocks that these samples `# [S]` complete."""
        state = state.appended(_mono(samples))
        windows: list[Samples] = []
        parts = [np.zeros((0, self.feature_count), np.float32)]
        while (window := self._next_window(state)) is not None:
            # Windows that begin with the stream are shorter: only equal ones share a call.
            if windows and (windows[0].size != window.size or len(windows) == _BATCH):
                parts.append(self._run(windows))
                windows = []
            windows.append(window)
            next_row = state.next_row + self.window.block_rows
            state = state.advanced(next_row, self.window.left_rows)
        if windows:
            parts.append(self._run(windows))
        return np.concatenate(parts), state

    def finish(self, state: WindowState) -> Features:
        """The rows that still wait for their look-ahead `# [T, D]`, as if silence followed."""
        total_rows = state.total_samples // ROW_SAMPLES
        missing_rows = total_rows - state.next_row
        if missing_rows <= 0:
            return np.zeros((0, self.feature_count), np.float32)
        silence_rows = self.window.block_rows + self.window.right_rows
        silence = silence_rows * ROW_SAMPLES + self._network.tail_samples
        features, _ = self.step(np.zeros(silence, np.float32), state)
        return features[:missing_rows]

    def encode_whole(self, samples: Samples) -> Features:
        """Features `# [S // 320, D]` that see the whole recording at once, as published systems
        that do not stream compute them; networks with a limit see pieces of that length.

        Raises:
            TooLarge: the recording is longer than two minutes.
        """
        clean = WindowState.initial().appended(_mono(samples)).samples
        if clean.size > _LONGEST_WHOLE_S * SAMPLE_RATE_HZ:
            raise TooLarge(
                f"A recording of {clean.size / SAMPLE_RATE_HZ:.0f} s cannot be encoded as a whole; "
                f"the limit is {_LONGEST_WHOLE_S:g} s.",
                remedy="Cut it, or encode it through windows.",
            )
        rows = clean.size // ROW_SAMPLES
        padded = np.pad(clean, (0, self._network.tail_samples))
        parts = [np.zeros((0, self.feature_count), np.float32)]
        step = self._network.most_rows or max(rows, 1)
        for first in range(0, rows, step):
            last = min(first + step, rows)
            end = last * ROW_SAMPLES + self._network.tail_samples
            parts.append(self._network.run(padded[None, first * ROW_SAMPLES : end])[0])
        return np.concatenate(parts)

    def _next_window(self, state: WindowState) -> Samples | None:
        """Audio of the next block's window, once all of it is there."""
        last_row = state.next_row + self.window.block_rows + self.window.right_rows
        end = (last_row - state.first_row) * ROW_SAMPLES + self._network.tail_samples
        return state.samples[:end] if state.samples.size >= end else None

    def _run(self, windows: list[Samples]) -> Features:
        """Rows of the blocks of some windows, in order. `# [B * block_rows, D]`"""
        features = self._network.run(np.stack(windows))
        last = features.shape[1] - self.window.right_rows
        blocks = features[:, last - self.window.block_rows : last]
        rows = blocks.reshape(-1, self.feature_count)
        finite = np.isfinite(rows).all(axis=1)
        if not finite.all():
            note_faults(int((~finite).sum()))
            rows = np.where(finite[:, None], rows, np.float32(0))
        return rows


def _mono(samples: Samples) -> Samples:
    if samples.ndim != 1:
        raise BadInput(f"Audio has shape {samples.shape}; mono samples [S] were expected.")
    return samples
