"""A network small enough to test with, and inputs for it."""

from __future__ import annotations

import torch
from torch import Tensor

from lipstream.motion.talker_audio import FUTURE_ROWS, LOOK_AHEADS_MS, PAST_ROWS
from lipstream.training.streaming_talker.config import LatentConfig, PredictorConfig, TalkerConfig
from lipstream.training.streaming_talker.network import TalkerNetwork

__all__ = ["FEATURES", "HISTORY", "TINY", "tiny_network", "windows"]

FEATURES = 6
HISTORY = 7
_AUDIO = (PAST_ROWS + FUTURE_ROWS) * FEATURES + len(LOOK_AHEADS_MS)

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


def windows(batch: int, frames: int, seed: int = 0) -> Tensor:  # [B, T, A]
    """Audio of frames that hear one frame of the future."""
    torch.manual_seed(seed)
    audio = torch.randn(batch, frames, _AUDIO)
    audio[..., -len(LOOK_AHEADS_MS) :] = torch.eye(len(LOOK_AHEADS_MS))[1]
    return audio
