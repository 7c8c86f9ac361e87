"""Random numbers as a function of (seed, stream, index), so that motion needs no generator state.

Frame 90,000 of a session costs what frame 1 does, any replica computes the same value, and chunks
cannot matter. All arguments broadcast: many sessions, streams and indices are one call.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Doubles", "lognormal", "normal", "smooth_noise", "uniform"]

Doubles: TypeAlias = NDArray[np.float64]

_Words: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"

_SEED, _STREAM = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = (np.uint64(bits) for bits in (30, 27, 31, 11))


def uniform(seed: ArrayLike, stream: ArrayLike, index: ArrayLike) -> Doubles:
    """Uniform in [0, 1): splitmix64 of the three whole numbers (S. Vigna, 2015)."""
    value: _Words = np.atleast_1d(_words(seed) * _SEED + _words(stream) * _STREAM + _words(index))
    for _ in range(2):
        value = value + _SEED
        value = (value ^ (value >> _30)) * _FIRST
        value = (value ^ (value >> _27)) * _SECOND
        value ^= value >> _31
    return (value >> _11) / float(1 << 53)


def normal(seed: ArrayLike, stream: ArrayLike, index: ArrayLike) -> Doubles:
    """Standard normal (Box and Muller)."""
    pair = 2 * np.asarray(index)[..., None] + np.arange(2)
    size, turn = np.moveaxis(uniform(_column(seed), _column(stream), pair), -1, 0)
    drawn: Doubles = np.sqrt(-2 * np.log(1 - size)) * np.cos(2 * np.pi * turn)
    return drawn


def lognormal(
    seed: ArrayLike, stream: ArrayLike, index: ArrayLike, *, median: float, spread: float
) -> Doubles:
    """Log-normal with that median; `spread` is the standard deviation of the logarithm."""
    return np.asarray(median * np.exp(spread * normal(seed, stream, index)))


def smooth_noise(seed: ArrayLike, stream: ArrayLike, position: ArrayLike) -> Doubles:
    """Band-limited noise, mostly in -1..1, that varies over about one unit of `position`."""
    index = np.floor(position)
    t = np.asarray(position) - index
    ease = t * t * t * (t * (6 * t - 15) + 10)
    ends = uniform(_column(seed), _column(stream), index[..., None] + np.arange(2))
    left, right = np.moveaxis(2 * ends - 1, -1, 0)
    return np.asarray(left + ease * (right - left))


def _words(numbers: ArrayLike) -> _Words:
    # At least one axis: of single numbers numpy reports the overflow that is meant here.
    words: _Words = np.atleast_1d(np.asarray(numbers)).astype(np.int64).astype(np.uint64)
    return words


def _column(numbers: ArrayLike) -> NDArray[Any]:
    return np.asarray(numbers)[..., None]
