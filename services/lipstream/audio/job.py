"""The audio stage's work on a job: a recording or a text in, soundtrack and features out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from lipstream.audio.gate import convert_bounded
from lipstream.audio.limits import AudioLimits
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.source import SOUNDTRACK_RATE_HZ, SpokenText
from lipstream.audio.speech_models import FeatureExtractor, encode_recording
from lipstream.audio.wav import write_wav
from lipstream.inference import FaultWatch
from lipstream.runtime.bounded import BoundedCalls
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.telemetry import Telemetry

__all__ = ["AudioJob"]

_DECODING_S = 300.0


class AudioJob:
    """Handles one job a call; the encoder is shared.

    Args:
        faulty: gets the number of rows of features for which the encoder's network gave none.
    """

    def __init__(
        self,
        extractor: FeatureExtractor[Any],
        limits: AudioLimits,
        telemetry: Telemetry,
    ) -> None:
        self._extractor = extractor
        self._limits = limits
        self._telemetry = telemetry
        self._decoder = BoundedCalls(wall_s=_DECODING_S)

    def __call__(self, context: JobContext) -> None:
        """
        Raises:
            BadInput: the recording or the text cannot be used.
        """
        scratch = context.scratch
        spoken = "text" in context.params
        count, heard = self._spoken(context) if spoken else self._recorded(context)
        context.progress(0.4)
        faults = FaultWatch(partial(self._telemetry.non_finite, "job"))
        with faults.watch():
            features = encode_recording(self._extractor, _watched(heard, context))
        if faults.count:
            context.warn(f"{faults.count} pieces of 20 ms could not be heard and count as silence.")
        np.save(scratch / "features.npy", features)
        context.progress(0.9)
        context.store.put_file("speech.wav", scratch / "speech.wav")
        context.store.put("encoder.txt", self._extractor.identity.encode().encode())
        context.store.put_file("features.npy", scratch / "features.npy")
        speech_s = count / SOUNDTRACK_RATE_HZ
        self._telemetry.audio("job", speech_s)
        context.result("speech_s", round(speech_s, 3))

    def _spoken(self, context: JobContext) -> tuple[int, Iterator[Samples]]:
        """Write the soundtrack of a text: its length in samples, and what the encoder hears."""
        params = context.params
        spoken = SpokenText(params["text"], params["voice"], self._limits)
        phones = [asdict(phone) for phone in spoken.phones()]
        context.store.put("phones.json", json.dumps(phones, ensure_ascii=False).encode())
        said = _watched(spoken.chunks(SOUNDTRACK_RATE_HZ), context)
        count = write_wav(context.scratch / "speech.wav", said, SOUNDTRACK_RATE_HZ)
        return count, spoken.chunks(SAMPLE_RATE_HZ)

    def _recorded(self, context: JobContext) -> tuple[int, Iterator[Samples]]:
        """The same of a recording."""
        path = context.scratch / "input"
        context.store.get_file("input", path)
        soundtrack = context.scratch / "speech.wav"
        converted = convert_bounded(self._decoder, path, soundtrack, self._limits)
        for sentence in converted.warnings:
            context.warn(sentence)
        return converted.count, converted.chunks()


def _watched(chunks: Iterator[Samples], context: JobContext) -> Iterator[Samples]:
    for chunk in chunks:
        context.check()
        yield chunk
