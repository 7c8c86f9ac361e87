"""The motion stage's work on a job: `features.npy` in, `motion.npz` out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from lipstream.errors import BadInput, NotFound
from lipstream.face.face_controls import FaceControls
from lipstream.face.motion import Floats, Motion
from lipstream.face.motion_file import write_npz
from lipstream.inference import EncoderIdentity, FaultWatch
from lipstream.motion.generator import MotionGenerator, generate
from lipstream.motion.talker_style import checked_style
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.telemetry import Telemetry

__all__ = ["MotionJob"]

_CHUNK_FEATURES = 500
_LONGEST_NAME = 1000


class MotionJob:
    """Handles one job at a time per call; the generator is shared."""

    def __init__(self, generator: MotionGenerator[Any], telemetry: Telemetry) -> None:
        self._generator = generator
        self._telemetry = telemetry

    def __call__(self, context: JobContext) -> None:
        """
        Raises:
            BadInput: the features are damaged, of an encoder that the generator does not know,
                the style is none of its own, or the controls are none.
        """
        self._check_encoder(context)
        features = _load(context.store.get("features.npy"))

        def chunks() -> Iterator[Floats]:
            for first in range(0, len(features), _CHUNK_FEATURES):
                context.progress(first / max(len(features), 1))
                yield features[first : first + _CHUNK_FEATURES]

        seed = int(context.params.get("seed", 0))
        style = self._style(context)
        controls = FaceControls.parse(context.params.get("controls", {}))
        watch = FaultWatch(partial(self._telemetry.non_finite, "job"))
        pieces = generate(self._generator, chunks(), seed=seed, style=style, controls=controls)
        motion = Motion.concatenate(watch.over(pieces))
        if watch.count:
            context.warn(f"In {watch.count} frames the mouth could not be computed; it was held.")
        path = context.scratch / "motion.npz"
        write_npz(path, motion)
        context.store.put_file("motion.npz", path)
        self._telemetry.frames("job", len(motion))
        context.result("frames", len(motion))

    def _style(self, context: JobContext) -> Floats | None:
        style = context.params.get("style")
        return None if style is None else checked_style(style, self._generator.style_width)

    def _check_encoder(self, context: JobContext) -> None:
        try:
            name = context.store.get("encoder.txt", max_bytes=_LONGEST_NAME)
        except NotFound:
            return  # of an audio stage that does not say it yet; the width is checked
        found = EncoderIdentity.decode(name.decode("ascii", "replace"))
        self._generator.encoder.require(found)


def _load(data: bytes) -> Floats:  # [T, D]
    try:
        features: Floats = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise BadInput("The features of this job are damaged.") from error
    return features
