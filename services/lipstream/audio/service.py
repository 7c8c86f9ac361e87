"""The audio stage as a service."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np

from lipstream.audio.encoder import FEATURE_RATE_HZ
from lipstream.audio.gate import inspect_bounded
from lipstream.audio.job import AudioJob
from lipstream.audio.limits import AudioLimits
from lipstream.audio.live import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, LiveFeatures
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.resample import resample
from lipstream.audio.speech import Delivery, Speech
from lipstream.audio.speech_models import FeatureExtractor, open_voiced_extractor
from lipstream.audio.synthesis import synthesize_chunks
from lipstream.audio.voices import find_voice, voices
from lipstream.errors import BadInput
from lipstream.inference.joined import JoinedSteps, Step
from lipstream.inference.live_cost import live_cost
from lipstream.runtime.bounded import BoundedCalls
from lipstream.runtime.compute import ComputePool
from lipstream.runtime.live_lane import LiveLane
from lipstream.runtime.object_store import ObjectStore
from lipstream.runtime.stage_main import StageApp, StageKit
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.turns import Turns
from lipstream.v1 import audio_pb2, audio_pb2_grpc, common_pb2
from lipstream.wire.tensors import pack_samples

__all__ = ["AudioServicer", "build"]

_DEFAULT_VOICE = "en-us"
_PIECE_S = 0.04
"""Of a live stream, as gateways hand it on."""


class AudioServicer(audio_pb2_grpc.AudioServiceServicer):
    def __init__(
        self,
        extractor: FeatureExtractor[Any],
        limits: AudioLimits,
        store: ObjectStore,
        compute: ComputePool,
        telemetry: Telemetry,
    ) -> None:
        self._extractor = extractor
        self._decoder = BoundedCalls()
        self._turns: Turns[Step[Samples, Any]] = Turns(JoinedSteps(extractor), name="encoder-steps")
        self._limits = limits
        self._store = store
        self._compute = compute
        self._telemetry = telemetry
        self._faulty = partial(telemetry.non_finite, "live")

    async def Extract(
        self,
        requests: AsyncIterator[audio_pb2.ExtractRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[audio_pb2.ExtractResponse]:
        lane: LiveLane[audio_pb2.ExtractRequest, audio_pb2.ExtractResponse] = LiveLane(
            self._turns,
            lambda first: LiveFeatures(self._extractor, first, self._faulty),
            self._telemetry.step_done,
        )
        async with aclosing(lane.run(requests)) as responses:
            async for response in responses:
                if response.HasField("features"):
                    rows = response.features.values.shape[0]
                    self._telemetry.audio("live", rows / FEATURE_RATE_HZ)
                yield response

    async def Synthesize(
        self,
        request: audio_pb2.SynthesizeRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[audio_pb2.SynthesizeResponse]:
        async with aclosing(self._compute.iterate(_spoken(request))) as responses:
            async for response in responses:
                yield response

    async def ListVoices(
        self,
        request: audio_pb2.ListVoicesRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> audio_pb2.ListVoicesResponse:
        wanted = request.language.lower()
        known = await self._compute.run(voices)
        return audio_pb2.ListVoicesResponse(
            voices=[
                audio_pb2.Voice(name=voice.tag, language=voice.tag, title=voice.name)
                for voice in known
                if not wanted or (voice.tag.lower() + "-").startswith(wanted + "-")
            ]
        )

    async def Inspect(
        self,
        request: audio_pb2.InspectRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> audio_pb2.InspectResponse:
        if request.WhichOneof("subject") == "voice":
            await self._compute.run(find_voice, request.voice)
            return audio_pb2.InspectResponse()
        return await self._compute.run(self._inspect, request.audio_key)

    def _inspect(self, key: str) -> audio_pb2.InspectResponse:
        with tempfile.TemporaryDirectory(prefix="lipstream-inspect-") as folder:
            path = Path(folder) / "input"
            self._store.get_file(key, path)
            duration_s, warnings = inspect_bounded(self._decoder, path, self._limits)
        return audio_pb2.InspectResponse(duration_s=duration_s, warnings=warnings)


def build(kit: StageKit) -> StageApp:
    """The stage from its settings."""
    settings = kit.settings
    limits = AudioLimits(max_seconds=settings.max_audio_s, max_bytes=settings.max_upload_bytes)
    extractor = open_voiced_extractor(settings.encoder)
    servicer = AudioServicer(extractor, limits, kit.store, kit.compute, kit.telemetry)
    return StageApp(
        handle=AudioJob(extractor, limits, kit.telemetry),
        register=lambda server: audio_pb2_grpc.add_AudioServiceServicer_to_server(servicer, server),
        services=("lipstream.v1.AudioService",),
        live_cost=partial(_live_cost, extractor),
    )


def _live_cost(extractor: FeatureExtractor[Any]) -> float:
    noise = np.random.default_rng(0).normal(0, 0.1, round(_PIECE_S * SAMPLE_RATE_HZ))
    return live_cost(
        extractor, noise.astype(np.float32), lambda number: extractor.initial_state(), _PIECE_S
    )


def _spoken(request: audio_pb2.SynthesizeRequest) -> Iterator[audio_pb2.SynthesizeResponse]:
    header = request.header
    delivery = Delivery(
        rate_wpm=request.rate_wpm or Delivery().rate_wpm,
        pitch=request.pitch if request.HasField("pitch") else Delivery().pitch,
    )
    end_us = header.pts_us
    for piece in synthesize_chunks(
        request.text, request.voice or _DEFAULT_VOICE, delivery=delivery
    ):
        start_us = header.pts_us + round(piece.start_s * 1e6)
        end_us = start_us + round(piece.duration_s * 1e6)
        yield audio_pb2.SynthesizeResponse(
            header=_header(header, start_us),
            speech=_chunk(_at_rate(piece, request.rate_hz), header.pts_us),
        )
    yield audio_pb2.SynthesizeResponse(
        header=_header(header, end_us), end=common_pb2.EndOfUtterance()
    )


def _at_rate(piece: Speech, rate_hz: int) -> Speech:
    if not rate_hz or rate_hz == piece.rate_hz:
        return piece
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise BadInput(
            f"Speech of {rate_hz} Hz cannot be made.",
            remedy=f"Ask for {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz.",
            code="sample_rate",
        )
    samples = resample(piece.samples, piece.rate_hz, rate_hz)
    return replace(piece, samples=samples, rate_hz=rate_hz)


def _chunk(piece: Speech, origin_us: int) -> audio_pb2.SpeechChunk:
    return audio_pb2.SpeechChunk(
        samples=pack_samples(piece.samples, common_pb2.SAMPLE_FORMAT_PCM_S16LE),
        sample_format=common_pb2.SAMPLE_FORMAT_PCM_S16LE,
        rate_hz=piece.rate_hz,
        phones=[
            audio_pb2.Phone(
                ipa=phone.ipa,
                start_us=origin_us + round(phone.start_s * 1e6),
                end_us=origin_us + round(phone.end_s * 1e6),
            )
            for phone in piece.phones
        ],
    )


def _header(header: common_pb2.LiveHeader, pts_us: int) -> common_pb2.LiveHeader:
    return common_pb2.LiveHeader(session_id=header.session_id, epoch=header.epoch, pts_us=pts_us)
