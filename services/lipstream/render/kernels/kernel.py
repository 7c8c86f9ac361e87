"""Functions in machine code.

numba compiles them, at most once on a machine: what it made lies in files that are loaded without
numba, whose import takes longer than all else that a first picture needs. A kernel takes arrays as
they lie in memory, contiguous, and lets go of the interpreter's lock: a server draws many sessions
on threads of its own, one frame on one thread, so no kernel starts threads itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from lipstream.render.kernels.machine_code import Code, Kind, load_code
from lipstream.render.kernels.store import read_object, write_object

__all__ = ["Kernel", "kernel"]

P = ParamSpec("P")
R = TypeVar("R")

_loading = threading.Lock()


class Kernel(Generic[P, R]):
    """A function that is compiled, or loaded, when it is first called with arguments of some kinds.

    It must not allocate: numba's memory is not there where numba is not. What it calls are other
    kernels, `vector`'s operations and `math`.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.function = function
        self.name = f"{function.__module__}.{function.__qualname__}"
        self._codes: dict[tuple[Kind, ...], Code] = {}

    def __call__(self, *arguments: P.args, **_: P.kwargs) -> R:
        kinds = tuple([_kind(argument) for argument in arguments])
        code = self._codes.get(kinds) or self._load(kinds)
        result: R = code(*arguments)
        return result

    @property
    def loaded(self) -> int:
        """For how many kinds of arguments there is machine code in memory."""
        return len(self._codes)

    @cached_property
    def dispatcher(self) -> Any:
        """What numba makes of it: to be compiled, or called by another kernel."""
        from lipstream.render.kernels.compiler import dispatcher

        return dispatcher(self.function)

    @property
    def _numba_type_(self) -> Any:
        """numba asks for this where a kernel calls another."""
        return self.dispatcher._numba_type_

    def _load(self, kinds: tuple[Kind, ...]) -> Code:
        if self.function.__closure__:
            # Its code is kept by its name, which says nothing of what it closes over.
            raise TypeError(f"{self.name} is for other kernels to call.")
        with _loading:
            if kinds not in self._codes:
                label = "_".join([self.name, *map(_label, kinds)])
                source = Path(self.function.__code__.co_filename)
                data = read_object(label, source)
                if data is None:
                    from lipstream.render.kernels.compiler import compiled

                    data = compiled(self.dispatcher, label, kinds)
                    write_object(label, source, data)
                self._codes[kinds] = load_code(data, label, kinds)
            return self._codes[kinds]


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Make a kernel of a function of arrays and scalars that returns an integer or nothing."""
    return Kernel(function)


def _kind(argument: Any) -> Kind:
    if isinstance(argument, np.ndarray):
        if not argument.flags.c_contiguous:
            raise ValueError("Kernels take contiguous arrays alone.")
        return argument.dtype, argument.ndim
    return type(argument)


def _label(kind: Kind) -> str:
    if isinstance(kind, tuple):
        dtype, dimensions = kind
        return f"{dtype.char}{dimensions}"
    return kind.__name__
