"""Tiny models with random weights, saved in the true format."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

__all__ = ["WIDTH", "save_model"]

WIDTH = 32


def save_model(kind: str, folder: Path, **changes: Any) -> Path:
    """Write a checkpoint of two layers as `save_pretrained` does; the convolutions of HuBERT and
    wav2vec 2.0 keep their true kernels and strides.

    Args:
        kind: `hubert`, `wav2vec2` or `whisper`.
    """
    import torch

    transformers: Any = importlib.import_module("transformers")
    torch.manual_seed(0)
    if kind == "whisper":
        config = transformers.WhisperConfig(
            **{
                "d_model": WIDTH,
                "encoder_layers": 2,
                "decoder_layers": 1,
                "encoder_attention_heads": 2,
                "decoder_attention_heads": 2,
                "encoder_ffn_dim": 64,
                "decoder_ffn_dim": 64,
                "num_mel_bins": 80,
                "max_source_positions": 250,
                "vocab_size": 64,
                "pad_token_id": 0,
                "bos_token_id": 1,
                "eos_token_id": 2,
                "decoder_start_token_id": 3,
                **changes,
            }
        )
        model = transformers.WhisperModel(config)
        transformers.WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    else:
        name = {"hubert": "Hubert", "wav2vec2": "Wav2Vec2"}[kind]
        config = getattr(transformers, f"{name}Config")(
            **{
                "hidden_size": WIDTH,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "intermediate_size": 64,
                "conv_dim": (16,) * 7,
                "num_conv_pos_embeddings": 16,
                "num_conv_pos_embedding_groups": 4,
                **changes,
            }
        )
        model = getattr(transformers, f"{name}Model")(config)
        transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    model.save_pretrained(folder)
    return folder
