"""What the operations of `vector` are compiled to; imported where there is something to compile."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic, models, overload, register_model
from numba.np.arrayobj import populate_array

from lipstream.render.kernels.vector import LANES

__all__ = ["type_of"]

_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_HALF = ir.VectorType(ir.FloatType(), LANES // 2)
_INDEX = ir.IntType(32)
_BITS = ir.VectorType(_INDEX, LANES)
_FLAGS = ("contract", "nsz")


class _Float8(types.Type):
    def __init__(self) -> None:
        super().__init__(name="lipstream.Float8")


_FLOAT8 = _Float8()


@register_model(_Float8)
class _Float8Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


def _emitting(typed: Callable[..., Any]) -> Callable[..., Any]:
    """numba's decorator, with a type that kernels can be checked against."""
    emitting: Callable[..., Any] = intrinsic(typed)
    return emitting


def _operator(function: Callable[[Any, Any], Any], instruction: str) -> None:
    """Define an operator of two vectors."""

    @_emitting
    def emitted(context: Any, left: Any, right: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return getattr(builder, instruction)(*values, flags=_FLAGS)

        return _FLOAT8(_FLOAT8, _FLOAT8), emit

    # numba compares the signatures of both functions: a lambda has no annotations.
    @overload(function)
    def defined(left, right):  # type: ignore[no-untyped-def]
        if isinstance(left, _Float8) and isinstance(right, _Float8):
            return lambda left, right: emitted(left, right)
        return None


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")
_operator(operator.truediv, "fdiv")


def _spread(builder: Any, value: Any, count: int = LANES) -> Any:
    """The same in all lanes, whatever its type."""
    nothing = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    first = builder.insert_element(nothing, value, _INDEX(0))
    lanes = ir.Constant(ir.VectorType(_INDEX, count), [0] * count)
    return builder.shuffle_vector(first, nothing, lanes)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any, target: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), target.as_pointer())


@_emitting
def splat(context: Any, value: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _spread(builder, values[0])

    return _FLOAT8(types.float32), emit


@_emitting
def columns(context: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return ir.Constant(_VECTOR, [float(lane % 4) for lane in range(LANES)])

    return _FLOAT8(), emit


@_emitting
def rows(context: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return ir.Constant(_VECTOR, [float(lane // 4 * 2) for lane in range(LANES)])

    return _FLOAT8(), emit


@_emitting
def load(context: Any, array: Any, index: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, index = values
        address = _address(context, builder, signature.args[0], array, index, _VECTOR)
        return builder.load(address, align=4)

    return _FLOAT8(array, types.uint64), emit


@_emitting
def store(context: Any, array: Any, index: Any, vector: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, index, vector = values
        address = _address(context, builder, signature.args[0], array, index, _VECTOR)
        builder.store(vector, address, align=4)
        return context.get_dummy_value()

    return types.void(array, types.uint64, _FLOAT8), emit


@_emitting
def load_halves(context: Any, array: Any, first: Any, second: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, *places = values
        halves = [
            builder.load(
                _address(context, builder, signature.args[0], array, place, _HALF), align=4
            )
            for place in places
        ]
        lanes = ir.Constant(_BITS, list(range(LANES)))
        return builder.shuffle_vector(*halves, lanes)

    return _FLOAT8(array, types.uint64, types.uint64), emit


@_emitting
def store_halves(context: Any, array: Any, first: Any, second: Any, vector: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, first, second, vector = values
        for place, begin in ((first, 0), (second, LANES // 2)):
            lanes = ir.Constant(
                ir.VectorType(_INDEX, LANES // 2), list(range(begin, begin + LANES // 2))
            )
            half = builder.shuffle_vector(vector, ir.Constant(_VECTOR, ir.Undefined), lanes)
            address = _address(context, builder, signature.args[0], array, place, _HALF)
            builder.store(half, address, align=4)
        return context.get_dummy_value()

    return types.void(array, types.uint64, types.uint64, _FLOAT8), emit


@_emitting
def shifted(context: Any, vector: Any, places: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        vector, places = values
        by = _spread(builder, builder.trunc(places, _INDEX))
        return builder.bitcast(builder.shl(builder.bitcast(vector, _BITS), by), _VECTOR)

    return _FLOAT8(_FLOAT8, types.int64), emit


@_emitting
def significand(context: Any, vector: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        bits = builder.bitcast(values[0], _BITS)
        bits = builder.and_(bits, ir.Constant(_BITS, [0x007FFFFF] * LANES))
        bits = builder.or_(bits, ir.Constant(_BITS, [0x3F800000] * LANES))
        return builder.bitcast(bits, _VECTOR)

    return _FLOAT8(_FLOAT8), emit


@_emitting
def kept(context: Any, vector: Any, judged: Any, least: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        vector, judged, least = values
        passes = builder.fcmp_ordered(">=", judged, _spread(builder, least))
        return builder.select(passes, vector, ir.Constant(_VECTOR, [0.0] * LANES))

    return _FLOAT8(_FLOAT8, _FLOAT8, types.float32), emit


@_emitting
def lesser(context: Any, one: Any, other: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *values), *values)

    return _FLOAT8(_FLOAT8, _FLOAT8), emit


@_emitting
def greater(context: Any, one: Any, other: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *values), *values)

    return _FLOAT8(_FLOAT8, _FLOAT8), emit


@_emitting
def root(context: Any, vector: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        declared: Any = cgutils.get_or_insert_function
        return builder.call(declared(builder.module, kind, f"llvm.sqrt.v{LANES}f32"), values)

    return _FLOAT8(_FLOAT8), emit


@_emitting
def any_at_least(context: Any, one: Any, other: Any, least: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        limit = _spread(builder, values[2])
        passes = builder.or_(
            builder.fcmp_ordered(">=", values[0], limit),
            builder.fcmp_ordered(">=", values[1], limit),
        )
        bits = builder.bitcast(passes, ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, bits.type(0))

    return types.boolean(_FLOAT8, _FLOAT8, types.float32), emit


@_emitting
def bits_of(context: Any, masks: Any, index: Any, bit: Any) -> Any:
    many = ir.VectorType(ir.IntType(16), 64)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, index, bit = values
        address = _address(context, builder, signature.args[0], array, index, many)
        wanted = _spread(builder, bit, 64)
        found = builder.and_(builder.load(address, align=2), wanted)
        return builder.bitcast(builder.icmp_unsigned("==", found, wanted), ir.IntType(64))

    return types.uint64(masks, types.uint64, types.uint16), emit


@_emitting
def lowest_bit(context: Any, bits: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.IntType(1)(1))

    return types.uint64(types.uint64), emit


def _on_stack(element: Any) -> Any:
    kind = types.Array(element, 1, "C")

    def typed(context: Any, count: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            stored = context.get_data_type(element)
            size = context.get_abi_sizeof(stored)
            array = context.make_array(kind)(context, builder)
            allocated: Any = cgutils.alloca_once
            data = allocated(builder, stored, size=count.literal_value)
            shape = [context.get_constant(types.intp, count.literal_value)]
            strides = [context.get_constant(types.intp, size)]
            populated: Any = populate_array
            populated(array, data=data, shape=shape, strides=strides, itemsize=size, meminfo=None)
            return array._getvalue()

        return kind(count), emit

    return intrinsic(prefer_literal=True)(typed)


stack_floats = _on_stack(types.float32)
stack_ints = _on_stack(types.int32)


def type_of(name: str) -> Any:
    """numba's type of an operation."""
    return cpu_target.typing_context.resolve_value_type(globals()[name])
