"""The audio stage's work on a live stream: samples in, features out."""

from __future__ import annotations

from collections.abc import Iterator

from lipstream.audio.encoder import FEATURE_RATE_HZ, Features, SpeechEncoder
from lipstream.audio.features import FeatureState, step_features
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.resample import Resampler
from lipstream.errors import BadInput
from lipstream.v1 import audio_pb2, common_pb2
from lipstream.wire.tensors import pack_tensor, unpack_samples

__all__ = ["LiveFeatures"]

_LOWEST_RATE_HZ, _HIGHEST_RATE_HZ = 8_000, 48_000


class LiveFeatures:
    """One stream; see `runtime.live_lane.LiveStage`."""

    def __init__(self, encoder: SpeechEncoder, first: audio_pb2.ExtractRequest) -> None:
        config = first.config
        if not _LOWEST_RATE_HZ <= config.rate_hz <= _HIGHEST_RATE_HZ:
            raise BadInput(
                f"A live stream of {config.rate_hz} Hz cannot be taken.",
                remedy=f"Send {_LOWEST_RATE_HZ} to {_HIGHEST_RATE_HZ} Hz.",
                code="sample_rate",
            )
        self._encoder = encoder
        self._session_id = first.header.session_id
        self._rate_hz = config.rate_hz
        self._format = config.sample_format
        self._interval_us = config.snapshot_interval_ms * 1000
        self._resumed = FeatureState.decode(config.resume_state) if config.resume_state else None
        self.begin(first.header.epoch)

    def begin(self, epoch: int) -> None:
        self._state = self._resumed or FeatureState.initial(self._encoder)
        self._resampler = Resampler(self._rate_hz, SAMPLE_RATE_HZ)
        self._start_us: int | None = None
        self._rows = 0
        self._snapshot_us = 0

    def handle(self, request: audio_pb2.ExtractRequest) -> Iterator[audio_pb2.ExtractResponse]:
        header = request.header
        match request.WhichOneof("payload"):
            case "config":
                return
            case "audio":
                self._resumed = None
                if self._start_us is None:
                    self._start_us = header.pts_us
                samples = unpack_samples(request.audio.samples, self._format)
                yield from self._features(self._resampler.push(samples), header.epoch)
                yield from self._snapshot(header.epoch)
            case "end":
                yield from self._features(self._resampler.flush(), header.epoch)
                yield audio_pb2.ExtractResponse(
                    header=self._header(header.epoch), end=common_pb2.EndOfUtterance()
                )
            case other:
                raise BadInput(f"An audio stream takes no {other or 'empty message'}.")

    def interrupted(self, request: audio_pb2.ExtractRequest) -> audio_pb2.ExtractResponse:
        return audio_pb2.ExtractResponse(header=request.header, interrupt=common_pb2.Interrupt())

    def _features(self, samples: Samples, epoch: int) -> Iterator[audio_pb2.ExtractResponse]:
        values: Features
        values, self._state = step_features(self._encoder, samples, self._state)
        if not len(values):
            return
        features = audio_pb2.Features(values=pack_tensor(values), rate_hz=FEATURE_RATE_HZ)
        yield audio_pb2.ExtractResponse(header=self._header(epoch), features=features)
        self._rows += len(values)

    def _snapshot(self, epoch: int) -> Iterator[audio_pb2.ExtractResponse]:
        now_us = self._rows * 1_000_000 // FEATURE_RATE_HZ
        if not self._interval_us or now_us - self._snapshot_us < self._interval_us:
            return
        self._snapshot_us = now_us
        yield audio_pb2.ExtractResponse(
            header=self._header(epoch),
            snapshot=common_pb2.StateSnapshot(state=self._state.encode()),
        )

    def _header(self, epoch: int) -> common_pb2.LiveHeader:
        """Of the next row of features."""
        pts_us = (self._start_us or 0) + self._rows * 1_000_000 // FEATURE_RATE_HZ
        return common_pb2.LiveHeader(session_id=self._session_id, epoch=epoch, pts_us=pts_us)
