"""A trained network in a file, with the configuration that it was built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch

from lipstream.errors import BadInput
from lipstream.training.streaming_talker.config import (
    Architecture,
    LatentConfig,
    PredictorConfig,
    Space,
    TalkerConfig,
)
from lipstream.training.streaming_talker.network import TalkerNetwork

__all__ = ["read_checkpoint", "write_checkpoint"]


def write_checkpoint(path: Path, network: TalkerNetwork, figures: Mapping[str, float]) -> None:
    config = asdict(network.config)
    config["space"] = str(network.config.space)
    config["latent"]["architecture"] = str(network.config.latent.architecture)
    saved = {"config": config, "network": network.state_dict(), "figures": dict(figures)}
    partial = path.with_suffix(".partial")
    torch.save(saved, partial)
    partial.replace(path)


def read_checkpoint(path: Path) -> TalkerNetwork:
    """
    Raises:
        BadInput: the file is no such checkpoint.
    """
    try:
        saved = torch.load(path, weights_only=True)
        config = dict(saved["config"])
        latent = dict(config["latent"])
        latent["architecture"] = Architecture(latent["architecture"])
        network = TalkerNetwork(
            TalkerConfig(
                predictor=PredictorConfig(**config["predictor"]),
                latent=LatentConfig(**latent),
                space=Space(config["space"]),
                subjects=config["subjects"],
                event_head=config["event_head"],
                diffusion=config["diffusion"],
                encoder=config.get("encoder", ""),  # checkpoints of before do not say it
            )
        )
        network.load_state_dict(saved["network"])
    except Exception as error:  # torch raises anything from KeyError to UnpicklingError here
        raise BadInput(f"{path} is no StreamingTalker checkpoint: {error}") from error
    return network.eval()
