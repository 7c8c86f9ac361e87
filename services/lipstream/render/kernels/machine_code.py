"""Machine code into this process."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Code", "Kind", "load_code"]

Code: TypeAlias = Callable[..., Any]

Kind: TypeAlias = "tuple[np.dtype[Any], int] | type"
"""Of an argument: type of the numbers and dimensions of an array, or type of a scalar."""

_SCALARS: dict[type, Any] = {
    bool: ctypes.c_bool,
    int: ctypes.c_int64,
    np.float32: ctypes.c_float,
    np.uint64: ctypes.c_uint64,
}


@cache
def _engine() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(jit=True)
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine)


def load_code(data: bytes, label: str, kinds: tuple[Kind, ...]) -> Code:
    """What an object file holds under a label, ready to be called with arguments of these kinds."""
    from llvmlite import binding

    engine = _engine()
    engine.add_object_file(binding.ObjectFileRef.from_data(data))
    engine.finalize_object()
    types = [ctypes.py_object if isinstance(kind, tuple) else _SCALARS[kind] for kind in kinds]
    return ctypes.CFUNCTYPE(ctypes.c_int64, *types)(engine.get_function_address(label))
