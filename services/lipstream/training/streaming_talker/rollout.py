"""Generation with the network in training, several recordings at once, for validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from lipstream.face.motion import Floats
from lipstream.motion.ddim import ddim_schedule
from lipstream.motion.talker_audio import (
    FEATURES_PER_FRAME,
    LOOK_AHEADS_MS,
    PAST_ROWS,
    consecutive_audio,
)
from lipstream.training.streaming_talker.clips import padded_features
from lipstream.training.streaming_talker.network import TalkerNetwork

__all__ = ["rollout"]


@torch.no_grad()
def rollout(
    network: TalkerNetwork,
    recordings: Sequence[Floats],  # each [2 N, D] features
    *,
    delay: int,
    steps: int = 4,
    temperature: float = 1.0,
    seed: int = 0,
) -> list[Floats]:
    """Raw motion `# [N, M]` of each, events as logits; styles neutral.

    Args:
        delay: frames of the future that are heard, an index into the look-aheads.
        steps: of diffusion.
        temperature: amplitude of the noise that sampling begins with.
    """
    network.eval()
    counts = [len(features) // FEATURES_PER_FRAME for features in recordings]
    longest = max(counts)
    width = network.config.predictor.audio
    audio = np.zeros((len(recordings), longest, width), np.float32)
    for row, (features, count) in enumerate(zip(recordings, counts, strict=True)):
        needed = PAST_ROWS + FEATURES_PER_FRAME * (count + delay)
        heard = padded_features(features[: FEATURES_PER_FRAME * count])[:needed]
        audio[row, :count] = consecutive_audio(heard, count, delay)
    assert delay < len(LOOK_AHEADS_MS)
    schedule = torch.from_numpy(ddim_schedule(steps)).expand(len(recordings), -1, -1)
    random = torch.Generator().manual_seed(seed)
    state = network.initial_state(len(recordings))
    style = network.style.of_none(len(recordings))
    frames = []
    for k in range(longest):
        noise = torch.randn(len(recordings), network.config.latent.width, generator=random)
        noise = temperature * noise
        frame, state = network.raw_step(
            torch.from_numpy(audio[:, k]), style, noise, schedule, state
        )
        frames.append(frame)
    motion = torch.stack(frames, 1).numpy()
    return [motion[row, :count] for row, count in enumerate(counts)]
