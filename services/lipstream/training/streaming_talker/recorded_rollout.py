"""Generation in the space of a corpus, by a network trained on recorded motion.

For evaluation: the whole recording is heard frame by frame, each from the network's own past, and
the latents are decoded together at the end, so that the paper's autoencoder, which sees a clip at
once, and our causal one go the same way.
"""

from __future__ import annotations

import numpy as np
import torch

from lipstream.errors import BadInput
from lipstream.face.motion import Floats
from lipstream.motion.ddim import ddim_schedule
from lipstream.training.streaming_talker.config import Space
from lipstream.training.streaming_talker.network import TalkerNetwork

__all__ = ["PAPER_STEPS", "rollout_recorded"]

PAPER_STEPS = 50


@torch.no_grad()
def rollout_recorded(
    network: TalkerNetwork,
    features: Floats,  # [T, A]
    *,
    steps: int = PAPER_STEPS,
    seed: int = 0,
) -> Floats:  # [T, M]
    """Motion as the corpus has it, of vertices the offsets from the face at rest; style neutral.

    Args:
        features: of the audio, one row a frame of motion.
        steps: of diffusion.

    Raises:
        BadInput: the network makes articulatory controls, or hears other features.
    """
    if network.config.space is not Space.RECORDED:
        raise BadInput("This network was not trained on recorded motion.")
    width = network.config.predictor.audio
    if features.ndim != 2 or features.shape[1] != width or not len(features):
        raise BadInput(f"Features have shape {features.shape}; (frames, {width}) was expected.")
    network.eval()
    audio = torch.from_numpy(np.ascontiguousarray(features, np.float32))[None]
    schedule = torch.from_numpy(ddim_schedule(steps))[None]
    random = torch.Generator().manual_seed(seed)
    style = network.style.of_none(1)
    state = network.predictor.initial_state(1)
    latent = network.start[None]
    latents = []
    for k in range(audio.shape[1]):
        condition, state = network.predictor(latent[:, None], audio[:, k : k + 1], style, state)
        noise = torch.randn(1, len(network.start), generator=random)
        clean = network.head.sample(condition[:, 0], noise, schedule)
        latent = network.vae.quantise(clean * network.scale) / network.scale
        latents.append(latent)
    motion = network.decode(torch.stack(latents, 1))
    return np.asarray(motion[0].numpy(), np.float32)
