"""Requests to the live stages, and what their answers hold together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from lipstream.audio.pcm import Samples
from lipstream.face.motion import Floats, Motion
from lipstream.v1 import audio_pb2, common_pb2, motion_pb2, render_pb2
from lipstream.wire.tensors import pack_motion, pack_samples, unpack_motion, unpack_tensor

__all__ = [
    "EXTRACT",
    "F32",
    "FEATURES",
    "FPS",
    "GENERATE",
    "PCM16",
    "RENDER",
    "Sender",
    "audio_requests",
    "check_times",
    "features_in",
    "frames_request",
    "motion_in",
    "motion_requests",
    "pictures_in",
    "render_requests",
]

PCM16 = common_pb2.SAMPLE_FORMAT_PCM_S16LE
F32 = common_pb2.SAMPLE_FORMAT_F32LE
FEATURES = 128
FPS = 25.0

RequestT = TypeVar("RequestT")


@dataclass(frozen=True, slots=True)
class Sender(Generic[RequestT]):
    """Makes one kind of request."""

    make: Callable[..., RequestT]
    session: str = "s"

    def __call__(self, epoch: int = 1, pts_us: int = 0, **payload: Any) -> RequestT:
        header = common_pb2.LiveHeader(session_id=self.session, epoch=epoch, pts_us=pts_us)
        return self.make(header=header, **payload)

    def end(self, epoch: int = 1) -> RequestT:
        return self(epoch, end=common_pb2.EndOfUtterance())

    def interrupt(self, epoch: int) -> RequestT:
        return self(epoch, interrupt=common_pb2.Interrupt())


EXTRACT = Sender(audio_pb2.ExtractRequest)
GENERATE = Sender(motion_pb2.GenerateRequest)
RENDER = Sender(render_pb2.RenderRequest)


def audio_requests(
    samples: Samples,
    rate_hz: int,
    chunk_sizes: Iterable[int],
    *,
    epoch: int = 1,
    start_us: int = 0,
    sample_format: common_pb2.SampleFormat.ValueType = PCM16,
    session: str = "s",
) -> Iterator[audio_pb2.ExtractRequest]:
    """Audio in chunks of these sizes, and its end."""
    send = Sender(audio_pb2.ExtractRequest, session)
    position = 0
    for size in chunk_sizes:
        if position >= samples.size:
            break
        piece = pack_samples(samples[position : position + size], sample_format)
        pts_us = start_us + round(position * 1e6 / rate_hz)
        yield send(epoch, pts_us, audio=audio_pb2.AudioChunk(samples=piece))
        position += size
    yield send.end(epoch)


def motion_requests(
    answers: Iterable[audio_pb2.ExtractResponse], seed: int
) -> Iterator[motion_pb2.GenerateRequest]:
    """What the audio stage answers, as it goes on to the motion stage."""
    yield GENERATE(config=motion_pb2.GenerateConfig(seed=seed))
    for answer in answers:
        request = motion_pb2.GenerateRequest(header=answer.header)
        if answer.HasField("features"):
            request.features.CopyFrom(answer.features.values)
            request.encoder.CopyFrom(answer.features.encoder)
            yield request
        elif answer.HasField("end"):
            request.end.SetInParent()
            yield request


def render_requests(
    answers: Iterable[motion_pb2.GenerateResponse], config: render_pb2.RenderConfig
) -> Iterator[render_pb2.RenderRequest]:
    """What the motion stage answers, as it goes on to the render stage."""
    yield RENDER(config=config)
    for answer in answers:
        request = render_pb2.RenderRequest(header=answer.header)
        if answer.HasField("frames"):
            request.frames.CopyFrom(answer.frames)
            yield request
        elif answer.HasField("end"):
            request.end.SetInParent()
            yield request


def frames_request(motion: Motion, epoch: int = 1, pts_us: int = 0) -> render_pb2.RenderRequest:
    arrays = (motion.blendshapes, motion.rotation, motion.translation, motion.gaze)
    return RENDER(epoch, pts_us, frames=pack_motion(*arrays))


def features_in(answers: Iterable[audio_pb2.ExtractResponse]) -> Floats:  # [T, D]
    return np.concatenate(
        [np.zeros((0, FEATURES), np.float32)]
        + [unpack_tensor(a.features.values, FEATURES) for a in answers if a.HasField("features")]
    )


def motion_in(answers: Iterable[motion_pb2.GenerateResponse]) -> Motion:
    return Motion.concatenate(
        Motion(fps=FPS, **unpack_motion(a.frames)) for a in answers if a.HasField("frames")
    )


def pictures_in(answers: Iterable[render_pb2.RenderResponse]) -> list[NDArray[np.uint8]]:
    """The bytes of each picture."""
    return [np.frombuffer(a.frame.data, np.uint8) for a in answers if a.HasField("frame")]


def check_times(
    answers: Iterable[Any], kind: str, count: Callable[[Any], int], step_us: int
) -> None:
    """Check that the answers of a kind follow each other without a gap."""
    expected: int | None = None
    for answer in answers:
        if not answer.HasField(kind):
            continue
        assert expected in (None, answer.header.pts_us)
        expected = answer.header.pts_us + step_us * count(answer)
