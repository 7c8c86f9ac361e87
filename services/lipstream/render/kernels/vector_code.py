"""What the operations of `vector` are compiled to; imported where there is something to compile."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from lipstream.render.kernels.vector import LANES
from lipstream.render.kernels.vector_types import (
    BITS,
    FLOAT8,
    HALF,
    INDEX,
    INT8,
    VECTOR,
    address_of,
    emitting,
    spread,
)

__all__ = ["type_of"]


@emitting
def splat(context: Any, value: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return spread(builder, values[0])

    return FLOAT8(types.float32), emit


@emitting
def splat_int(context: Any, value: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return spread(builder, builder.trunc(values[0], INDEX))

    return INT8(types.int64), emit


@emitting
def columns(context: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return ir.Constant(VECTOR, [float(lane % 4) for lane in range(LANES)])

    return FLOAT8(), emit


@emitting
def rows(context: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return ir.Constant(VECTOR, [float(lane // 4 * 2) for lane in range(LANES)])

    return FLOAT8(), emit


@emitting
def load(context: Any, array: Any, index: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, index = values
        address = address_of(context, builder, signature.args[0], array, index, VECTOR)
        return builder.load(address, align=4)

    return FLOAT8(array, types.uint64), emit


@emitting
def store(context: Any, array: Any, index: Any, vector: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, index, vector = values
        address = address_of(context, builder, signature.args[0], array, index, VECTOR)
        builder.store(vector, address, align=4)
        return context.get_dummy_value()

    return types.void(array, types.uint64, FLOAT8), emit


@emitting
def store_ints(context: Any, array: Any, index: Any, vector: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, index, vector = values
        address = address_of(context, builder, signature.args[0], array, index, BITS)
        builder.store(vector, address, align=4)
        return context.get_dummy_value()

    return types.void(array, types.uint64, INT8), emit


def _mixed(builder: Any, one: Any, other: Any, first: tuple[int, ...], step: int = 4) -> Any:
    """In each half of the result four lanes of both vectors, counted on from the first's, in the
    same order; processors do that at once."""
    lanes = [*first, *(lane + step for lane in first)]
    return builder.shuffle_vector(one, other, ir.Constant(BITS, lanes))


_LOW, _HIGH = (0, 8, 1, 9), (2, 10, 3, 11)  # one by one
_LOW_PAIRS, _HIGH_PAIRS = (0, 1, 8, 9), (2, 3, 10, 11)


@emitting
def load_points(context: Any, points: Any, ids: Any, index: Any) -> Any:
    three: Any = types.UniTuple
    result = three(FLOAT8, 3)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, numbers, index = values
        points_type, ids_type, _ = signature.args
        point = []
        for lane in range(LANES):
            at = builder.add(index, index.type(lane))
            place = address_of(context, builder, ids_type, numbers, at, INDEX)
            first = builder.mul(builder.sext(builder.load(place), index.type), index.type(3))
            address = address_of(context, builder, points_type, array, first, HALF)
            point.append(builder.load(address, align=4))
        lanes = ir.Constant(BITS, list(range(LANES)))
        a, b, c, d = (builder.shuffle_vector(point[k], point[k + 4], lanes) for k in range(4))
        left, right = _mixed(builder, a, b, _LOW), _mixed(builder, c, d, _LOW)
        x = _mixed(builder, left, right, _LOW_PAIRS)
        y = _mixed(builder, left, right, _HIGH_PAIRS)
        left, right = _mixed(builder, a, b, _HIGH), _mixed(builder, c, d, _HIGH)
        z = _mixed(builder, left, right, _LOW_PAIRS)
        return context.make_tuple(builder, result, [x, y, z])

    return result(points, ids, types.uint64), emit


@emitting
def store_turned(
    context: Any,
    array: Any,
    index: Any,
    a: Any,
    b: Any,
    c: Any,
    d: Any,
    e: Any,
    f: Any,
    g: Any,
    h: Any,
) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, index, *columns = values
        fours = []
        for k in (0, 4):  # rows 0 to 3 in the lower halves, 4 to 7 in the upper ones
            v0, v1, v2, v3 = columns[k : k + 4]
            rows = []
            for order in (_LOW, _HIGH):
                left, right = _mixed(builder, v0, v1, order), _mixed(builder, v2, v3, order)
                rows += [_mixed(builder, left, right, o) for o in (_LOW_PAIRS, _HIGH_PAIRS)]
            fours.append(rows)
        for row in range(LANES):
            half = (0, 1, 2, 3) if row < 4 else (4, 5, 6, 7)
            numbers = _mixed(builder, fours[0][row % 4], fours[1][row % 4], half, step=8)
            at = builder.add(index, index.type(row * LANES))
            address = address_of(context, builder, signature.args[0], array, at, VECTOR)
            builder.store(numbers, address, align=4)
        return context.get_dummy_value()

    return types.void(array, types.uint64, *[FLOAT8] * 8), emit


@emitting
def load_halves(context: Any, array: Any, first: Any, second: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, *places = values
        halves = [
            builder.load(
                address_of(context, builder, signature.args[0], array, place, HALF), align=4
            )
            for place in places
        ]
        lanes = ir.Constant(BITS, list(range(LANES)))
        return builder.shuffle_vector(*halves, lanes)

    return FLOAT8(array, types.uint64, types.uint64), emit


@emitting
def store_halves(context: Any, array: Any, first: Any, second: Any, vector: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, first, second, vector = values
        for place, begin in ((first, 0), (second, LANES // 2)):
            lanes = ir.Constant(
                ir.VectorType(INDEX, LANES // 2), list(range(begin, begin + LANES // 2))
            )
            half = builder.shuffle_vector(vector, ir.Constant(VECTOR, ir.Undefined), lanes)
            address = address_of(context, builder, signature.args[0], array, place, HALF)
            builder.store(half, address, align=4)
        return context.get_dummy_value()

    return types.void(array, types.uint64, types.uint64, FLOAT8), emit


@emitting
def shifted(context: Any, vector: Any, places: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        vector, places = values
        by = spread(builder, builder.trunc(places, INDEX))
        return builder.bitcast(builder.shl(builder.bitcast(vector, BITS), by), VECTOR)

    return FLOAT8(FLOAT8, types.int64), emit


@emitting
def significand(context: Any, vector: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        bits = builder.bitcast(values[0], BITS)
        bits = builder.and_(bits, ir.Constant(BITS, [0x007FFFFF] * LANES))
        bits = builder.or_(bits, ir.Constant(BITS, [0x3F800000] * LANES))
        return builder.bitcast(bits, VECTOR)

    return FLOAT8(FLOAT8), emit


@emitting
def whole(context: Any, vector: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fptosi(values[0], BITS)

    return INT8(FLOAT8), emit


@emitting
def smaller(context: Any, one: Any, other: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.zext(builder.icmp_signed("<", *values), BITS)

    return INT8(INT8, INT8), emit


@emitting
def chosen(context: Any, choice: Any, one: Any, other: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        choice, one, other = values
        nothing = ir.Constant(BITS, [0] * LANES)
        return builder.select(builder.icmp_signed("!=", choice, nothing), one, other)

    return INT8(INT8, INT8, INT8), emit


@emitting
def kept(context: Any, vector: Any, judged: Any, least: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        vector, judged, least = values
        passes = builder.fcmp_ordered(">=", judged, spread(builder, least))
        return builder.select(passes, vector, ir.Constant(VECTOR, [0.0] * LANES))

    return FLOAT8(FLOAT8, FLOAT8, types.float32), emit


@emitting
def lesser(context: Any, one: Any, other: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *values), *values)

    return FLOAT8(FLOAT8, FLOAT8), emit


@emitting
def greater(context: Any, one: Any, other: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *values), *values)

    return FLOAT8(FLOAT8, FLOAT8), emit


@emitting
def root(context: Any, vector: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(VECTOR, [VECTOR])
        declared: Any = cgutils.get_or_insert_function
        return builder.call(declared(builder.module, kind, f"llvm.sqrt.v{LANES}f32"), values)

    return FLOAT8(FLOAT8), emit


@emitting
def any_at_least(context: Any, one: Any, other: Any, least: Any) -> Any:

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        limit = spread(builder, values[2])
        passes = builder.or_(
            builder.fcmp_ordered(">=", values[0], limit),
            builder.fcmp_ordered(">=", values[1], limit),
        )
        bits = builder.bitcast(passes, ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, bits.type(0))

    return types.boolean(FLOAT8, FLOAT8, types.float32), emit


@emitting
def bits_of(context: Any, masks: Any, index: Any, bit: Any) -> Any:
    many = ir.VectorType(ir.IntType(16), 64)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, index, bit = values
        address = address_of(context, builder, signature.args[0], array, index, many)
        wanted = spread(builder, bit, 64)
        found = builder.and_(builder.load(address, align=2), wanted)
        return builder.bitcast(builder.icmp_unsigned("==", found, wanted), ir.IntType(64))

    return types.uint64(masks, types.uint64, types.uint16), emit


@emitting
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
