"""The types of `vector` as numba knows them, with their operators."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, overload, register_model

from lipstream.render.kernels.vector import LANES

__all__ = [
    "BITS",
    "FLOAT8",
    "HALF",
    "INDEX",
    "INT8",
    "VECTOR",
    "address_of",
    "emitting",
    "spread",
]

VECTOR = ir.VectorType(ir.FloatType(), LANES)
HALF = ir.VectorType(ir.FloatType(), LANES // 2)
INDEX = ir.IntType(32)
BITS = ir.VectorType(INDEX, LANES)
_FLAGS = ("contract", "nsz")


class _Vector(types.Type):
    def __init__(self, name: str, stored: Any) -> None:
        super().__init__(name=f"lipstream.{name}")
        self.stored = stored


FLOAT8 = _Vector("Float8", VECTOR)
INT8 = _Vector("Int8", BITS)


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, kind.stored)  # type: ignore[no-untyped-call]


def emitting(typed: Callable[..., Any]) -> Callable[..., Any]:
    """numba's decorator, with a type that kernels can be checked against."""
    emitting: Callable[..., Any] = intrinsic(typed)
    return emitting


def _operator(function: Callable[[Any, Any], Any], **instructions: str) -> None:
    """Define an operator of two vectors.

    Args:
        instructions: for `floats`, `ints` or both.
    """

    def of_kind(kind: _Vector, instruction: str, flags: tuple[str, ...]) -> Callable[..., Any]:
        @emitting
        def emitted(context: Any, left: Any, right: Any) -> Any:
            def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                return getattr(builder, instruction)(*values, flags=flags)

            return kind(kind, kind), emit

        return emitted

    emitted = {}
    if "floats" in instructions:
        emitted[FLOAT8] = of_kind(FLOAT8, instructions["floats"], _FLAGS)
    if "ints" in instructions:
        emitted[INT8] = of_kind(INT8, instructions["ints"], ())

    # numba compares the signatures of both functions: a lambda has no annotations.
    @overload(function)
    def defined(left, right):  # type: ignore[no-untyped-def]
        if left == right and left in emitted:
            code = emitted[left]
            return lambda left, right: code(left, right)
        return None


_operator(operator.add, floats="fadd", ints="add")
_operator(operator.sub, floats="fsub", ints="sub")
_operator(operator.mul, floats="fmul", ints="mul")
_operator(operator.truediv, floats="fdiv")
_operator(operator.and_, ints="and_")
_operator(operator.or_, ints="or_")
_operator(operator.lshift, ints="shl")
_operator(operator.rshift, ints="ashr")


def spread(builder: Any, value: Any, count: int = LANES) -> Any:
    """The same in all lanes, whatever its type."""
    nothing = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    first = builder.insert_element(nothing, value, INDEX(0))
    lanes = ir.Constant(ir.VectorType(INDEX, count), [0] * count)
    return builder.shuffle_vector(first, nothing, lanes)


def address_of(context: Any, builder: Any, kind: Any, array: Any, index: Any, target: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), target.as_pointer())
