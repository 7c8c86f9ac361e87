"""Eight float32, or int32, at once: types of the kernels' own.

The compiler finds vectors in loops by itself, but not in every loop, and it cannot keep a block of
pixels in registers from one splat to the next. Values of this type live in registers, whatever
their width is on the machine: the compiler splits them where it has narrower ones.

They are added, subtracted and multiplied lane by lane; floats are divided, integers shifted, and
joined bit by bit. `vector_code` holds what the operations are compiled to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = [
    "LANES",
    "Float8",
    "Int8",
    "any_at_least",
    "bits_of",
    "chosen",
    "columns",
    "greater",
    "kept",
    "lesser",
    "load",
    "load_halves",
    "load_points",
    "lowest_bit",
    "root",
    "rows",
    "shifted",
    "significand",
    "smaller",
    "splat",
    "splat_int",
    "stack_floats",
    "stack_ints",
    "store",
    "store_halves",
    "store_ints",
    "store_turned",
    "whole",
]

Float8: TypeAlias = Any
"""A vector, inside a kernel."""
Int8: TypeAlias = Any
"""The same of integers."""

LANES = 8


class _Operation:
    """A name that kernels call. It stands for nothing outside of them."""

    def __init__(self, described: Callable[..., Any]) -> None:
        self.__name__ = described.__name__
        self.__doc__ = described.__doc__

    def __call__(self, *arguments: Any) -> Any:
        raise TypeError(f"{self.__name__} is an operation of kernels.")

    @property
    def _numba_type_(self) -> Any:
        """numba asks for this where a kernel calls it."""
        from lipstream.render.kernels.vector_code import type_of

        return type_of(self.__name__)


@_Operation
def splat(value: Any) -> Float8:
    """The same float32 in all lanes."""


@_Operation
def splat_int(value: Any) -> Int8:
    """The same integer in all lanes."""


@_Operation
def columns() -> Float8:
    """0, 1, 2, 3 and again: across a half of four pixels."""


@_Operation
def rows() -> Float8:
    """0 four times and 2 four times: down two halves, with a row between them."""


@_Operation
def load(array: Any, index: Any) -> Float8:
    """Eight of a contiguous float32 array in its memory's order, from a uint64 index on."""


@_Operation
def store(array: Any, index: Any, vector: Float8) -> None:
    """The counterpart of `load`."""


@_Operation
def store_ints(array: Any, index: Any, vector: Int8) -> None:
    """The same into an int32 array."""


@_Operation
def load_points(points: Any, ids: Any, index: Any) -> Any:
    """Three vectors: x, y and z of eight points.

    Args:
        points: contiguous float32, three of each point; one more is read behind the last.
        ids: int32 array of theirs; eight are read from the uint64 `index` on.
    """


@_Operation
def store_turned(
    array: Any, index: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any
) -> None:
    """Lane by lane the numbers of eight vectors, 64 from the uint64 `index` on."""


@_Operation
def load_halves(array: Any, first: Any, second: Any) -> Float8:
    """Four from the uint64 index `first` on, and four from `second` on."""


@_Operation
def store_halves(array: Any, first: Any, second: Any, vector: Float8) -> None:
    """The counterpart of `load_halves`."""


@_Operation
def shifted(vector: Float8, places: Any) -> Float8:
    """The floats whose bits are the vector's, moved left by a number of places."""


@_Operation
def significand(vector: Float8) -> Float8:
    """1 up to 2: the numbers without their powers of two."""


@_Operation
def whole(vector: Float8) -> Int8:
    """Without what is behind the point."""


@_Operation
def smaller(one: Int8, other: Int8) -> Int8:
    """1 in lanes where `one` is smaller; 0 in others."""


@_Operation
def chosen(choice: Int8, one: Int8, other: Int8) -> Int8:
    """Lane by lane, `one` where the choice is not 0, else `other`."""


@_Operation
def kept(vector: Float8, judged: Float8, least: Any) -> Float8:
    """Lanes whose `judged` is at least the float32 `least`; 0 in the others, even of no number."""


@_Operation
def lesser(one: Float8, other: Float8) -> Float8:
    """Lane by lane, `one` where it is less, else `other`."""


@_Operation
def greater(one: Float8, other: Float8) -> Float8:
    """Lane by lane, `one` where it is greater, else `other`."""


@_Operation
def root(vector: Float8) -> Float8:
    """The square roots; no number where a lane is negative."""


@_Operation
def any_at_least(one: Float8, other: Float8, least: Any) -> Any:
    """Whether a lane of either vector is at least the float32 `least`."""


@_Operation
def bits_of(masks: Any, index: Any, bit: Any) -> Any:
    """One bit of each of 64 masks, as a uint64.

    Args:
        masks: contiguous uint16; 64 are read from the uint64 `index` on.
        bit: uint16 that holds this bit alone.
    """


@_Operation
def lowest_bit(bits: Any) -> Any:
    """Position of the lowest bit that is set, of a uint64 that is not 0."""


@_Operation
def stack_floats(count: int) -> Any:
    """A float32 array of a constant length, for as long as the kernel runs."""


@_Operation
def stack_ints(count: int) -> Any:
    """The same of int32."""
