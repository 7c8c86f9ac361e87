"""What the commands speak with: a speech encoder and a motion generator that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lipstream.audio import Samples
    from lipstream.audio.speech_models import FeatureExtractor
    from lipstream.face.motion import Motion
    from lipstream.motion import MotionGenerator

__all__ = ["Encoder", "Generator", "Talking", "open_talking"]

Generator = Annotated[
    str | None,
    typer.Option(
        help="What makes the motion: baseline or streaming_talker; by default LIPSTREAM_GENERATOR."
    ),
]
Encoder = Annotated[
    str | None,
    typer.Option(
        help="What hears the speech: own, hubert:PATH, wav2vec2:PATH or whisper:PATH, as the motion"
        " model was trained on; by default LIPSTREAM_ENCODER."
    ),
]


@dataclass(frozen=True, slots=True)
class Talking:
    extractor: FeatureExtractor[Any]
    generator: MotionGenerator[Any]

    def motion(self, chunks: Iterable[Samples], *, seed: int) -> Iterator[Motion]:
        """Motion of speech `# [S]` at 16 kHz, piece by piece."""
        from lipstream.audio.speech_models import stream_features
        from lipstream.motion import generate

        return generate(self.generator, stream_features(self.extractor, chunks), seed=seed)


def open_talking(generator: str | None, encoder: str | None) -> Talking:
    """What the options name, or else the environment.

    Raises:
        BadInput: the generator was not trained on this encoder's features, or one is unknown.
        NotFound: weights are not where they should be.
    """
    from lipstream.audio.speech_models import open_voiced_extractor
    from lipstream.motion import open_generator
    from lipstream.runtime.settings import load_settings

    settings = load_settings()
    talking = Talking(
        open_voiced_extractor(settings.encoder if encoder is None else encoder),
        open_generator(settings.generator if generator is None else generator),
    )
    talking.generator.encoder.require(talking.extractor.identity)
    return talking
