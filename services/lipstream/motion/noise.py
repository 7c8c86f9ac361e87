"""Random numbers as a function of (seed, stream, index), so that motion needs no generator state.

Frame 90,000 of a session costs what frame 1 does, any replica computes the same value, and chunks
cannot matter. Plain numbers where a frame asks for a few: to numpy each call costs more than ten of
them do here. The waves of `smooth_noises` are many, and all sessions want them in every frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Doubles", "lognormal", "normal", "smooth_noise", "smooth_noises", "uniform"]

Doubles: TypeAlias = NDArray[np.float64]

_WORD = (1 << 64) - 1
_SEED, _STREAM = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_BOTH_ENDS = np.arange(2, dtype=np.uint64)[:, None, None]
_FEW = 2
"""Frames whose noises take less time in plain numbers."""
_REMEMBERED = 8192
"""Numbers: a face asks for the same fifty over and over for a second or more."""


@lru_cache(maxsize=_REMEMBERED)
def uniform(seed: int, stream: int, index: int) -> float:
    """Uniform in [0, 1): splitmix64 of the three whole numbers (S. Vigna, 2015)."""
    value = (seed * _SEED + stream * _STREAM + index) & _WORD
    for _ in range(2):
        value = (value + _SEED) & _WORD
        value = ((value ^ (value >> 30)) * _FIRST) & _WORD
        value = ((value ^ (value >> 27)) * _SECOND) & _WORD
        value ^= value >> 31
    return (value >> 11) / (1 << 53)


def normal(seed: int, stream: int, index: int) -> float:
    """Standard normal (Box and Muller)."""
    size, turn = (uniform(seed, stream, 2 * index + k) for k in range(2))
    return math.sqrt(-2 * math.log(1 - size)) * math.cos(2 * math.pi * turn)


def lognormal(seed: int, stream: int, index: int, *, median: float, spread: float) -> float:
    """Log-normal with that median; `spread` is the standard deviation of the logarithm."""
    return median * math.exp(spread * normal(seed, stream, index))


def smooth_noise(seed: int, stream: int, position: float) -> float:
    """Band-limited noise in -1..1 that varies over about one unit of `position`."""
    index = math.floor(position)
    t = position - index
    ease = t * t * t * (t * (6 * t - 15) + 10)
    left, right = (2 * uniform(seed, stream, index + k) - 1 for k in range(2))
    return left + ease * (right - left)


def smooth_noises(
    seeds: Sequence[int],  # [T]
    streams: Sequence[int],  # [N]
    positions: Doubles,  # [T, N]
) -> Doubles:  # [T, N]
    """`smooth_noise` of many, to the same bits."""
    if len(seeds) <= _FEW:
        rows = zip(seeds, positions.tolist(), strict=True)
        plain = [list(map(partial(smooth_noise, seed), streams, row)) for seed, row in rows]
        return np.array(plain).reshape(positions.shape)
    floors = np.floor(positions)
    t = positions - floors
    ease = t * t * t * (t * (6 * t - 15) + 10)
    own = _words(seeds)[:, None]
    first = own * np.uint64(_SEED) + _words(streams) * np.uint64(_STREAM)
    first = first + floors.astype(np.uint64)
    left, right = 2 * _uniforms(first + _BOTH_ENDS) - 1
    return np.asarray(left + ease * (right - left))


def _words(numbers: Sequence[int]) -> NDArray[np.uint64]:
    return np.array([number & _WORD for number in numbers], np.uint64)


def _uniforms(value: NDArray[np.uint64]) -> Doubles:
    """`uniform`, of the sum that it begins with; changes its argument."""
    for _ in range(2):
        value += np.uint64(_SEED)
        value ^= value >> np.uint64(30)
        value *= np.uint64(_FIRST)
        value ^= value >> np.uint64(27)
        value *= np.uint64(_SECOND)
        value ^= value >> np.uint64(31)
    return np.asarray((value >> np.uint64(11)) / (1 << 53))
