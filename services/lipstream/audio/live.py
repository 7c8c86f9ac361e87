"""The audio stage's work on a live stream: samples in, features out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, replace
from typing import Any, Generic, TypeAlias

from lipstream.audio.encoder import FEATURE_RATE_HZ, Features
from lipstream.audio.live_samples import LiveSamples
from lipstream.audio.live_state import LiveFeatureState
from lipstream.audio.pcm import Samples
from lipstream.audio.speech_models import FeatureExtractor
from lipstream.audio.speech_models.stream import StateT
from lipstream.errors import BadInput
from lipstream.inference import FaultWatch
from lipstream.inference.joined import Step
from lipstream.v1 import audio_pb2, common_pb2
from lipstream.wire.tensors import pack_tensor, unpack_samples

__all__ = ["HIGHEST_RATE_HZ", "LOWEST_RATE_HZ", "LiveFeatures"]

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 48_000

Work: TypeAlias = Generator[audio_pb2.ExtractResponse | Step[Samples, Any], Any, None]


class LiveFeatures(Generic[StateT]):
    """One stream; see `runtime.live_lane.LiveStage`.

    A step takes at most a second of audio, which the project's own encoder computes in a few
    milliseconds.

    Args:
        faulty: gets the number of rows of features for which the encoder's network gave none.
    """

    def __init__(
        self,
        extractor: FeatureExtractor[StateT],
        first: audio_pb2.ExtractRequest,
        faulty: Callable[[int], None] = lambda count: None,
    ) -> None:
        config = first.config
        if not LOWEST_RATE_HZ <= config.rate_hz <= HIGHEST_RATE_HZ:
            raise BadInput(
                f"A live stream of {config.rate_hz} Hz cannot be taken.",
                remedy=f"Send {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz.",
                code="sample_rate",
            )
        unpack_samples(b"", config.sample_format)  # refuses a format that is missing
        self._extractor = extractor
        self._encoder = common_pb2.Encoder(**asdict(extractor.identity))
        self._session_id = first.header.session_id
        self._faults = FaultWatch(faulty, session_id=self._session_id)
        self._rate_hz = config.rate_hz
        self._format = config.sample_format
        self._interval_us = config.snapshot_interval_ms * 1000
        self.begin(first.header.epoch)
        if config.resume_state:
            self._go_on_from(LiveFeatureState.decode(config.resume_state, extractor))

    def begin(self, epoch: int) -> None:
        self._state: LiveFeatureState[StateT] | None = None
        self._saved_us = 0

    def handle(self, request: audio_pb2.ExtractRequest) -> Work:
        header = request.header
        match request.WhichOneof("payload"):
            case "config":
                ready = audio_pb2.ExtractReady(latency_ms=self._extractor.latency_ms)
                yield self._response(header.epoch, header.pts_us, ready=ready)
            case "audio":
                samples = unpack_samples(request.audio.samples, self._format)
                for start in range(0, samples.size, self._rate_hz):
                    yield from self._hear(samples[start : start + self._rate_hz], header)
            case "end":
                state = self._begun(header)
                yield from self._features(self._samples.flush(), state, header.epoch)
                state = self._begun(header)
                with self._faults.watch():
                    rest = self._extractor.finish(state.features)
                yield from self._given(rest, state, header.epoch)
                yield self._response(
                    header.epoch, self._begun(header).output_us, end=common_pb2.EndOfUtterance()
                )
            case other:
                raise BadInput(f"An audio stream takes no {other or 'empty message'}.")

    def interrupted(self, request: audio_pb2.ExtractRequest) -> audio_pb2.ExtractResponse:
        return audio_pb2.ExtractResponse(header=request.header, interrupt=common_pb2.Interrupt())

    def _hear(self, samples: Samples, header: common_pb2.LiveHeader) -> Work:
        state = self._begun(header)
        complete = self._samples.push(samples)
        state = replace(state, heard=state.heard + samples.size, samples=self._samples.save())
        yield from self._features(complete, state, header.epoch)
        yield from self._snapshot(header)

    def _features(self, samples: Samples, state: LiveFeatureState[StateT], epoch: int) -> Work:
        values, features = yield Step(samples, state.features, self._faults)
        yield from self._given(values, replace(state, features=features), epoch)

    def _given(
        self,
        values: Features,  # [T, D]
        state: LiveFeatureState[StateT],
        epoch: int,
    ) -> Iterator[audio_pb2.ExtractResponse]:
        self._state = replace(state, rows=state.rows + len(values))
        if len(values):
            message = audio_pb2.Features(
                values=pack_tensor(values),
                rate_hz=FEATURE_RATE_HZ,
                encoder=self._encoder,
            )
            yield self._response(epoch, state.output_us, features=message)

    def _snapshot(self, header: common_pb2.LiveHeader) -> Iterator[audio_pb2.ExtractResponse]:
        state = self._begun(header)
        if not self._interval_us or state.input_us - self._saved_us < self._interval_us:
            return
        self._saved_us = state.input_us
        snapshot = common_pb2.StateSnapshot(state=state.encode())
        yield self._response(header.epoch, state.input_us, snapshot=snapshot)

    def _begun(self, header: common_pb2.LiveHeader) -> LiveFeatureState[StateT]:
        """The state; an utterance's clock starts with its first message."""
        if self._state is not None:
            return self._state
        return self._go_on_from(
            LiveFeatureState.initial(self._extractor, self._rate_hz, header.pts_us)
        )

    def _go_on_from(self, state: LiveFeatureState[StateT]) -> LiveFeatureState[StateT]:
        if state.rate_hz != self._rate_hz:
            raise BadInput(
                f"The saved state is of a stream of {state.rate_hz} Hz, not {self._rate_hz} Hz.",
                remedy="Go on at the rate at which the stream began.",
                code="sample_rate",
            )
        self._state = state
        self._samples = LiveSamples(self._rate_hz, state.samples)
        self._saved_us = state.input_us
        return state

    def _response(self, epoch: int, pts_us: int, **payload: Any) -> audio_pb2.ExtractResponse:
        header = common_pb2.LiveHeader(session_id=self._session_id, epoch=epoch, pts_us=pts_us)
        return audio_pb2.ExtractResponse(header=header, **payload)
