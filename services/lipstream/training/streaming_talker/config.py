"""Everything that shapes a StreamingTalker network, apart from its weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from lipstream.errors import BadInput
from lipstream.motion.controls import CONTROL_COUNT

__all__ = ["Architecture", "LatentConfig", "PredictorConfig", "Space", "TalkerConfig"]


class Architecture(StrEnum):
    """Of the motion autoencoder."""

    CAUSAL = "causal"
    """Causal convolutions: streams frame by frame at a flat cost."""
    TRANSFORMER = "transformer"
    """The paper's: sees the whole clip at once."""


class Space(StrEnum):
    """What a frame of motion is."""

    CONTROLS = "controls"
    """The ten articulatory controls, which expand to ARKit shapes."""
    RECORDED = "recorded"
    """The columns of a corpus: V x 3 offsets from the neutral face, or ARKit shapes and pose."""


@dataclass(frozen=True, slots=True)
class LatentConfig:
    """The VQ-VAE: every frame becomes `tokens` codes of `token_width` numbers each."""

    motion: int = CONTROL_COUNT
    """Numbers in a frame of motion."""
    tokens: int = 8
    token_width: int = 8
    codes: int = 256
    hidden: int = 128
    architecture: Architecture = Architecture.CAUSAL
    layers: int = 2
    heads: int = 8
    feed_forward: int = 1536
    commitment: float = 0.25
    quantised: bool = True

    @property
    def width(self) -> int:
        """Z, the numbers in a frame's latent."""
        return self.tokens * self.token_width


@dataclass(frozen=True, slots=True)
class PredictorConfig:
    """The transformer decoder that turns past motion and present audio into a condition."""

    audio: int
    """Numbers of audio in a frame."""
    width: int = 192
    heads: int = 4
    shared_memory: bool = False
    """One set of keys and values for all heads (N. Shazeer, 2019): the past that a session carries
    along is smaller by their number."""
    feed_forward: int = 384
    layers: int = 2
    history: int = 60
    """Frames that a frame may attend to, itself included."""
    period: int = 25
    """Frames over which the bias of attention stays the same."""
    dropout: float = 0.1
    hearing_dropout: float = 0.3
    """Of what is made of the audio: real speakers are few, and soon known by heart."""
    self_attention: bool = True
    cross_attention: bool = True

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise BadInput(f"A width of {self.width} cannot be shared by {self.heads} heads.")
        if self.history < 2:
            raise BadInput("A history has at least two frames, the present one and one before.")


@dataclass(frozen=True, slots=True)
class TalkerConfig:
    """A whole network."""

    predictor: PredictorConfig
    latent: LatentConfig = field(default_factory=LatentConfig)
    space: Space = Space.CONTROLS
    subjects: int = 0
    """Training identities with an embedding of their own, beside the neutral one."""
    event_head: bool = True
    """Events are read off the audio, not off the sampled latent: a sample closes the lips as often
    as they may be closed, which is right on average and wrong each time; and a past of its own
    making tells when lips closed before, late, rather than what is heard now."""
    diffusion: bool = True
    """Without it the head regresses the latent directly."""
    encoder: str = ""
    """Whose features it hears: an `EncoderIdentity`, written; empty where it is not known."""
