"""Named configurations: our own, small and fast, and those of the paper.

Sources: StreamingTalker's tables for VOCASET and BIWI; HuBERT-base gives 768 numbers a frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lipstream.errors import BadInput
from lipstream.motion.talker_audio import AUDIO_WIDTH
from lipstream.training.streaming_talker.config import (
    Architecture,
    LatentConfig,
    PredictorConfig,
    Space,
    TalkerConfig,
)

__all__ = ["PRESETS", "preset"]

_HUBERT_WIDTH = 768
_VOCASET_VERTICES, _BIWI_VERTICES = 5023, 23_370

_ARKIT = TalkerConfig(predictor=PredictorConfig(audio=AUDIO_WIDTH, shared_memory=True))

_VOCASET = TalkerConfig(
    latent=LatentConfig(
        motion=3 * _VOCASET_VERTICES,
        tokens=16,
        token_width=64,
        codes=256,
        hidden=1024,
        architecture=Architecture.TRANSFORMER,
        layers=6,
    ),
    predictor=PredictorConfig(
        audio=_HUBERT_WIDTH, width=768, feed_forward=1024, history=60, period=30
    ),
    space=Space.RECORDED,
    event_head=False,
    subjects=8,
)

_BIWI = TalkerConfig(
    latent=LatentConfig(
        motion=3 * _BIWI_VERTICES,
        tokens=8,
        token_width=128,
        codes=512,
        hidden=1024,
        architecture=Architecture.TRANSFORMER,
        layers=6,
    ),
    predictor=PredictorConfig(
        audio=_HUBERT_WIDTH, width=1024, feed_forward=2048, history=120, period=25
    ),
    space=Space.RECORDED,
    event_head=False,
    subjects=6,
)

PRESETS: Mapping[str, TalkerConfig] = MappingProxyType(
    {"arkit": _ARKIT, "vocaset": _VOCASET, "biwi": _BIWI}
)


def preset(name: str) -> TalkerConfig:
    """
    Raises:
        BadInput: there is none of this name.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise BadInput(
            f"There is no preset {name}.", remedy=f"Choose one of {', '.join(PRESETS)}."
        ) from None
