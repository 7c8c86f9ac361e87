"""The whole StreamingTalker network: autoencoder, predictor, head; one frame of it as a step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipstream.motion.controls import CONTROL_COUNT, EVENTS
from lipstream.motion.talker_audio import FEATURES_PER_FRAME, FUTURE_ROWS, LOOK_AHEADS_MS, PAST_ROWS
from lipstream.training.streaming import StreamingModule, through
from lipstream.training.streaming_talker.config import Space, TalkerConfig
from lipstream.training.streaming_talker.head import DiffusionHead, RegressionHead
from lipstream.training.streaming_talker.predictor import ConditionPredictor
from lipstream.training.streaming_talker.style import StyleEmbedding
from lipstream.training.streaming_talker.vq_vae import CausalDecoder, MotionVae

__all__ = ["TalkerNetwork"]

_REST_FRAMES = 8
_HIDDEN = -1e4


class TalkerNetwork(StreamingModule):
    """Latents outside the autoencoder are divided by `scale`, so that they have unit power."""

    scale: Tensor  # [] of latents
    start: Tensor  # [Z] the latent before the first frame: that of a face at rest
    event_bias: Tensor  # [4, 10] calibration of the events: probability = sigmoid(logit + bias)
    gain: Tensor  # [4, 10] calibration of the rest

    def __init__(self, config: TalkerConfig) -> None:
        super().__init__()
        self.config = config
        width, latent = config.predictor.width, config.latent.width
        self.vae = MotionVae(config.latent)
        self.predictor = ConditionPredictor(config.predictor, latent)
        self.style = StyleEmbedding(config.subjects, latent, width)
        head = DiffusionHead if config.diffusion else RegressionHead
        self.head: DiffusionHead | RegressionHead = head(latent, width)
        self.event_head = nn.Sequential(
            nn.Linear(config.predictor.audio, width),
            nn.GELU(),
            nn.Dropout(config.predictor.hearing_dropout),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Dropout(config.predictor.hearing_dropout),
            nn.Linear(width, len(EVENTS)),
        )
        # Only training listens to this one.
        self.guess = nn.Linear(width, CONTROL_COUNT)
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("start", torch.zeros(latent))
        self.register_buffer("event_bias", torch.zeros(len(LOOK_AHEADS_MS), CONTROL_COUNT))
        self.register_buffer("gain", torch.ones(len(LOOK_AHEADS_MS), CONTROL_COUNT))
        decoder = self.vae.decoder
        self.decoder_size = decoder.state_size if isinstance(decoder, CausalDecoder) else 0
        self.state_size = latent + self.decoder_size + self.predictor.state_size

    def initial_state(self, batch: int) -> Tensor:  # [B, S]
        """Previous latent, past of the decoder, past of the predictor."""
        rest = torch.zeros(batch, self.state_size - len(self.start))
        return torch.cat([self.start.expand(batch, -1), rest], 1)

    @torch.no_grad()
    def measure_latents(self, motions: Sequence[Tensor]) -> None:  # each [B, T, M]
        """Set scale and start from the trained autoencoder."""
        self.scale.fill_(1.0)
        powers = [self.latents(motion).square().mean() for motion in motions]
        self.scale.copy_(torch.stack(powers).mean().sqrt())
        rest = torch.zeros(1, _REST_FRAMES, self.config.latent.motion, device=self.start.device)
        self.start.copy_(self.latents(rest)[0, -1])

    def latents(self, motion: Tensor) -> Tensor:  # [B, T, M] -> [B, T, Z]
        """Quantised latents of motion, of unit power."""
        return self.vae.quantise(self.vae.encode(motion)) / self.scale

    def decode(self, latents: Tensor) -> Tensor:  # [B, T, Z] -> [B, T, M]
        """Motion of such latents; of controls, the events as logits."""
        return self.vae.decode(latents * self.scale)

    def condition(self, latents: Tensor, audio: Tensor, style: Tensor) -> Tensor:  # [B, T, D]
        """Conditions of a clip from its true past, for training.

        Args:
            latents: of the frame before each frame. `# [B, T, Z]`
            audio: `# [B, T, A]`
            style: `# [B, D]`
        """
        empty = self.predictor.initial_state(len(latents)).to(latents.device)
        return self.predictor(latents, audio, style, empty)[0]  # type: ignore[no-any-return]

    def with_events(self, motion: Tensor, audio: Tensor) -> Tensor:
        """Motion `# [B, T, M]` with its events' logits from the audio `# [B, T, A]`."""
        if self.config.space is not Space.CONTROLS or not self.config.event_head:
            return motion
        logits = through(self.event_head, audio)
        columns = list(motion.unbind(2))
        for place, event in enumerate(EVENTS):
            columns[event] = logits[..., place]
        return torch.stack(columns, 2)

    def later_audio(self, audio: Tensor) -> Tensor:  # [..., A] -> [..., A]
        """What is heard by now of the next frame: its audio is this one's, a frame later, and its
        look-ahead a frame shorter."""
        flags = len(LOOK_AHEADS_MS)
        features = self.config.predictor.audio - flags
        frame = FEATURES_PER_FRAME * features // (PAST_ROWS + FUTURE_ROWS)
        later = functional.pad(audio[..., frame:-flags], (0, frame))
        shorter = functional.pad(audio[..., 1 - flags :], (0, 1))
        return torch.cat([later, shorter], -1)

    def raw_step(
        self,
        audio: Tensor,  # [B, A]
        style: Tensor,  # [B, D]
        noise: Tensor,  # [B, Z]
        schedule: Tensor,  # [B, K, 5]
        state: Tensor,  # [B, S]
    ) -> tuple[Tensor, Tensor]:
        """One frame of motion `# [B, M]`, events as logits, and the next state `# [B, S]`."""
        motion, successor = self._moved(audio, style, noise, schedule, state)
        return self.with_events(motion[:, None], audio[:, None])[:, 0], successor

    def forward(
        self,
        audio: Tensor,  # [B, A]
        style: Tensor,  # [B, D]
        noise: Tensor,  # [B, Z]
        schedule: Tensor,  # [B, K, 5]
        state: Tensor,  # [B, S]
    ) -> tuple[Tensor, Tensor]:
        """One frame: motion `# [B, M]` and the next state.

        Of controls `# [B, 13]`: events as probabilities, then those of the frame after.
        """
        motion, successor = self._moved(audio, style, noise, schedule, state)
        if self.config.space is not Space.CONTROLS:
            return motion, successor
        events = list(EVENTS)
        heard = audio[:, -len(LOOK_AHEADS_MS) :]  # [B, 4] which look-ahead it is
        if self.config.event_head:
            both = torch.cat([audio, self.later_audio(audio)])
            logits = through(self.event_head, both).reshape(2, -1, len(events))
        else:
            now = motion[:, events]
            logits = torch.stack([now, torch.full_like(now, _HIDDEN)])
        chances = torch.sigmoid(logits + (heard @ self.event_bias)[:, events])
        present, coming = chances[0], chances[1]
        pressed = (motion * (heard @ self.gain)).clamp(0, 1)
        # The shortest look-ahead hears nothing of the next frame.
        promised = coming * (1 - heard[:, :1])
        columns = torch.cat([pressed, present, promised], 1)
        # Of an event in its column what was heard, not what was drawn.
        drawn = CONTROL_COUNT + len(events)
        order = [*range(CONTROL_COUNT), *range(drawn, drawn + len(events))]
        for place, event in enumerate(events):
            order[event] = CONTROL_COUNT + place
        return columns[:, order], successor

    def _moved(
        self, audio: Tensor, style: Tensor, noise: Tensor, schedule: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What a sampled latent decodes to, and the next state.

        The latent is used as it was sampled, not snapped to its codes as in the paper: a rounding
        error would flip a code here and there, and motion would depend on how audio was cut. It is
        as accurate, and trembles less.
        """
        width = len(self.start)
        decoding = width + self.decoder_size
        condition, predicted = self.predictor(
            state[:, :width][:, None], audio[:, None], style, state, decoding
        )
        clean = self.head.sample(condition.flatten(0, 1), noise, schedule)
        latent = clean * self.scale
        decoder: nn.Module = self.vae.decoder
        assert isinstance(decoder, CausalDecoder)
        motion, decoded = decoder.step(latent[:, None], state, width)
        return motion[:, 0], torch.cat([clean, decoded, predicted], 1)
