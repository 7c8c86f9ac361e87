"""A network small enough to test with, and inputs for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from lipstream.motion.controls import to_controls
from lipstream.motion.talker_audio import LOOK_AHEADS_MS, audio_width
from lipstream.training.streaming_talker.config import LatentConfig, PredictorConfig, TalkerConfig
from lipstream.training.streaming_talker.network import TalkerNetwork
from tests.unit.motion.clips import speaking_clip

__all__ = ["FEATURES", "HISTORY", "TINY", "styled_network", "tiny_network", "windows"]

FEATURES = 6
HISTORY = 7
_AUDIO = audio_width(FEATURES)

TINY = TalkerConfig(
    latent=LatentConfig(tokens=2, token_width=4, codes=16, hidden=12),
    predictor=PredictorConfig(
        audio=_AUDIO, width=16, heads=2, feed_forward=24, history=HISTORY, period=2, dropout=0.0
    ),
)


def tiny_network(config: TalkerConfig = TINY, seed: int = 0) -> TalkerNetwork:
    torch.manual_seed(seed)
    network = TalkerNetwork(config)
    with torch.no_grad():
        for buffer in (network.start, network.event_bias):
            buffer.normal_(0, 0.3)
    return network.eval()


def styled_network(features: int = FEATURES, encoder: str = "") -> TalkerNetwork:
    """One of random weights whose codes and styles tell clips apart, and motion them."""
    predictor = replace(TINY.predictor, audio=audio_width(features))
    network = tiny_network(replace(TINY, predictor=predictor, encoder=encoder))
    clips = [to_controls(speaking_clip(far).blendshapes) for far in (0.1, 0.4, 0.7, 1.0)]
    motion = torch.from_numpy(np.stack(clips))
    with torch.no_grad():
        for part in (network.vae.encoder, network.vae.decoder):
            part.stack.project.weight.mul_(30)  # type: ignore[union-attr, operator]
        codes = network.vae.quantiser.codes
        tokens = network.vae.encode(motion).reshape(-1, codes.shape[1])
        codes.copy_(tokens[torch.linspace(0, len(tokens) - 1, len(codes)).long()])
        network.style.clip.weight.mul_(5)
        network.style.neutral.normal_(0, 0.3)
    network.measure_latents([motion])
    return network


def windows(batch: int, frames: int, seed: int = 0) -> Tensor:  # [B, T, A]
    """Audio of frames that hear one frame of the future."""
    torch.manual_seed(seed)
    audio = torch.randn(batch, frames, _AUDIO)
    audio[..., -len(LOOK_AHEADS_MS) :] = torch.eye(len(LOOK_AHEADS_MS))[1]
    return audio
