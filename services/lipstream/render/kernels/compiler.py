"""Kernels to machine code, by numba; imported where there is something to compile.

numba's functions take an array as seven numbers and more, which Python would have to look up one by
one. An entry of our own takes the array object, as it lies in memory, and looks them up itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba.core import types
from numba.core.registry import cpu_target
from numba.np.arrayobj import populate_array
from numba.np.numpy_support import from_dtype

from lipstream.render.kernels import vector_code  # noqa: F401  (registers the vectors' operators)
from lipstream.render.kernels.machine_code import Kind

__all__ = ["compiled", "dispatcher"]

_LONG = ir.IntType(64)
_OBJECT = ir.IntType(8).as_pointer()
_DATA, _SHAPE, _STRIDES = 2, 4, 5
"""Places, in words, of a `PyArrayObject` (numpy/ndarraytypes.h), which numpy's ABI fixes."""
_SCALARS = {
    bool: types.boolean,
    int: types.int64,
    np.float32: types.float32,
    np.uint64: types.uint64,
}
_MATH = ("expf", "logf", "sqrtf", "floorf", "floor")
"""Of the C library."""
_OPTIONS: dict[str, Any] = {
    "fastmath": True,
    "error_model": "numpy",
    "boundscheck": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,  # numba's memory
}


def dispatcher(function: Callable[..., Any]) -> Any:
    """The function as numba compiles it, and calls it from others."""
    return numba.njit(**_OPTIONS)(function)


def compiled(function: Any, label: str, kinds: tuple[Kind, ...]) -> bytes:
    """An object file with the function for arguments of these kinds, under a label.

    Args:
        function: from `dispatcher`.

    Raises:
        RuntimeError: it needs more than the processor, such as numba's memory.
    """
    arguments = tuple(_type(kind) for kind in kinds)
    function.compile(arguments)
    result = function.overloads[arguments]
    module = binding.parse_bitcode(result.library._final_module.as_bitcode())
    module.link_in(binding.parse_assembly(_entry(label, result.fndesc)))
    foreign = sorted(f.name for f in module.functions if f.is_declaration and not _known(f.name))
    if foreign:
        raise RuntimeError(f"The kernel {function.__name__} calls {', '.join(foreign)}.")
    # numba tells the functions of one process apart by a number: another process gives the same
    # number to others, and where both are loaded, one would be taken for the other.
    for part in (*module.functions, *module.global_variables):
        if not part.is_declaration and part.name != label:
            part.name = f"{label}.{part.name}"
    data: bytes = cpu_target.target_context.codegen()._tm.emit_object(module)
    return data


def _known(name: str) -> bool:
    return name.startswith("llvm.") or name in _MATH


def _type(kind: Kind) -> Any:
    if isinstance(kind, tuple):
        dtype, dimensions = kind
        return types.Array(from_dtype(dtype), dimensions, "C")
    return _SCALARS[kind]


def _entry(label: str, description: Any) -> str:
    """Assembly of a function that takes objects and scalars and calls numba's."""
    context = cpu_target.target_context
    kinds, result = description.argtypes, description.restype
    module = ir.Module(label)
    module.triple = binding.get_process_triple()
    called = context.call_conv.get_function_type(result, kinds)
    target = ir.Function(module, called, description.llvm_func_name)
    passed = [_OBJECT if isinstance(k, types.Array) else context.get_value_type(k) for k in kinds]
    entry = ir.Function(module, ir.FunctionType(_LONG, passed), label)
    builder = ir.IRBuilder(entry.append_basic_block())
    values = [
        _array(context, builder, kind, argument) if isinstance(kind, types.Array) else argument
        for kind, argument in zip(kinds, entry.args, strict=True)
    ]
    _, returned = context.call_conv.call_function(builder, target, result, kinds, values)
    builder.ret(_LONG(0) if result == types.none else returned)
    return str(module)


def _array(context: Any, builder: Any, kind: Any, argument: Any) -> Any:
    """numba's idea of an array, from numpy's."""
    words = builder.bitcast(argument, _LONG.as_pointer())

    def pointer(word: int, target: Any) -> Any:
        return builder.inttoptr(builder.load(builder.gep(words, [_LONG(word)])), target)

    def numbers(word: int) -> list[Any]:
        begin = pointer(word, _LONG.as_pointer())
        return [builder.load(builder.gep(begin, [_LONG(k)])) for k in range(kind.ndim)]

    array = context.make_array(kind)(context, builder)
    populated: Any = populate_array
    populated(
        array,
        data=pointer(_DATA, context.get_data_type(kind.dtype).as_pointer()),
        shape=numbers(_SHAPE),
        strides=numbers(_STRIDES),
        itemsize=context.get_abi_sizeof(context.get_data_type(kind.dtype)),
        meminfo=None,
    )
    return array._getvalue()
