"""What the commands speak with: a speech encoder and a motion generator that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lipstream.cli.console import error_console

if TYPE_CHECKING:
    from lipstream.audio import Samples
    from lipstream.audio.speech_models import FeatureExtractor
    from lipstream.face.face_controls import FaceControls
    from lipstream.face.motion import Floats, Motion
    from lipstream.motion import MotionGenerator

__all__ = ["Encoder", "Generator", "Style", "Talking", "open_talking"]

Generator = Annotated[
    str | None,
    typer.Option(
        help="What makes the motion: baseline or streaming_talker; by default LIPSTREAM_GENERATOR. "
        "Options follow: 'streaming_talker?look_ahead_ms=120&steps=10'."
    ),
]
Encoder = Annotated[
    str | None,
    typer.Option(
        help="What hears the speech: own, hubert:PATH, wav2vec2:PATH or whisper:PATH, as the motion"
        " model was trained on; by default LIPSTREAM_ENCODER."
    ),
]
Style = Annotated[
    Path | None,
    typer.Option(
        help="A clip of somebody who speaks, whose manner the face takes: .csv (Live Link Face), "
        ".json or .npz. For streaming_talker.",
    ),
]


@dataclass(frozen=True, slots=True)
class Talking:
    extractor: FeatureExtractor[Any]
    generator: MotionGenerator[Any]
    style: Floats | None = None

    def motion(
        self, chunks: Iterable[Samples], *, seed: int, controls: FaceControls
    ) -> Iterator[Motion]:
        """Motion of speech `# [S]` at 16 kHz, piece by piece."""
        from lipstream.audio.speech_models import stream_features
        from lipstream.inference import FaultWatch
        from lipstream.motion import generate

        features = stream_features(self.extractor, chunks)
        watch = FaultWatch()
        pieces = generate(self.generator, features, seed=seed, style=self.style, controls=controls)
        yield from watch.over(pieces)
        if watch.count:
            error_console.print(f"note: a network gave no numbers {watch.count} times.")


def open_talking(generator: str | None, encoder: str | None, style: Path | None = None) -> Talking:
    """What the options name, or else the environment.

    Raises:
        BadInput: the generator was not trained on this encoder's features, one is unknown, or the
            clip shows no style.
        NotFound: weights or clip are not where they should be.
    """
    from lipstream.audio.speech_models import open_voiced_extractor
    from lipstream.face.motion_file import load_motion
    from lipstream.motion import open_generator
    from lipstream.runtime.settings import load_settings

    settings = load_settings()
    extractor = open_voiced_extractor(settings.encoder if encoder is None else encoder)
    mover = open_generator(settings.generator if generator is None else generator)
    mover.encoder.require(extractor.identity)
    return Talking(extractor, mover, None if style is None else mover.style_of(load_motion(style)))
