"""The audio stage's work on a job: a recording or a text in, soundtrack and features out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from lipstream.audio.limits import AudioLimits
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.source import SOUNDTRACK_RATE_HZ, RecordedSpeech, SpeechSource, SpokenText
from lipstream.audio.speech_models import FeatureExtractor, encode_recording
from lipstream.audio.wav import write_wav
from lipstream.inference import FaultWatch
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.telemetry import Telemetry

__all__ = ["AudioJob"]


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

    def __call__(self, context: JobContext) -> None:
        """
        Raises:
            BadInput: the recording or the text cannot be used.
        """
        source = self._source(context)
        scratch = context.scratch

        def watched(rate_hz: int) -> Iterator[Samples]:
            for chunk in source.chunks(rate_hz):
                context.check()
                yield chunk

        count = write_wav(scratch / "speech.wav", watched(SOUNDTRACK_RATE_HZ), SOUNDTRACK_RATE_HZ)
        context.progress(0.4)
        faults = FaultWatch(partial(self._telemetry.non_finite, "job"))
        with faults.watch():
            features = encode_recording(self._extractor, watched(SAMPLE_RATE_HZ))
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

    def _source(self, context: JobContext) -> SpeechSource:
        params = context.params
        if "text" in params:
            spoken = SpokenText(params["text"], params["voice"], self._limits)
            phones = [asdict(phone) for phone in spoken.phones()]
            context.store.put("phones.json", json.dumps(phones, ensure_ascii=False).encode())
            return spoken
        path = context.scratch / "input"
        context.store.get_file("input", path)
        warned: set[str] = set()

        def warn(sentence: str) -> None:
            # The recording is decoded twice; once is enough to hear of its faults.
            if sentence not in warned:
                warned.add(sentence)
                context.warn(sentence)

        return RecordedSpeech(path, self._limits, warn)
