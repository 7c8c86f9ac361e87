"""Which numbers a device multiplies fast."""

from __future__ import annotations

import torch

__all__ = ["has_bfloat16"]


def has_bfloat16(device: str) -> bool:
    """Whether products of bfloat16 are faster there than of single precision.

    A processor without such instructions computes them all the same, at a sixth of the speed.

    Args:
        device: type of a torch device: `cpu`, `cuda`.
    """
    if device != "cpu":
        return device != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
