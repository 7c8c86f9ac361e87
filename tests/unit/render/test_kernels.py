"""Machine code is made once, belongs to its sources, and is called with what it was made for."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from llvmlite import binding
from numpy.typing import NDArray

from lipstream.render.kernels import kernel
from lipstream.render.kernels.compiler import compiled
from lipstream.render.splats import depth_keys, longest_list

# Calls a kernel, and says what came out and whether numba was needed.
_PROGRAM = """
import sys
import numpy as np
from lipstream.render.splats import longest_list
print(longest_list(np.array([0, 3, 11, 12], np.int32)), "numba" in sys.modules)
"""


def test_what_is_compiled_is_kept_and_called_without_the_compiler() -> None:
    assert longest_list(np.array([0, 3, 11, 12], np.int32)) == 8  # compiled by now
    command = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["8", "False"]


def test_code_of_two_processes_does_not_mix() -> None:
    """Both may have given the same number, and so the same name, to functions that differ."""
    kinds = ((np.dtype(np.int32), 1),)
    data = compiled(longest_list.dispatcher, "own_name", kinds)
    (result,) = longest_list.dispatcher.overloads.values()
    machine = binding.Target.from_default_triple().create_target_machine(jit=True)
    with binding.create_mcjit_compiler(binding.parse_assembly(""), machine) as engine:
        engine.add_object_file(binding.ObjectFileRef.from_data(data))
        engine.finalize_object()
        assert engine.get_function_address("own_name")
        assert not engine.get_function_address(result.fndesc.llvm_func_name)


def test_arrays_that_do_not_lie_in_one_piece_are_refused() -> None:
    apart = np.zeros(20, np.float32)[::2]
    with pytest.raises(ValueError, match="contiguous"):
        depth_keys(apart, 10, np.zeros(10, np.uint16))


def test_kernels_that_close_over_something_are_for_other_kernels() -> None:
    step = 2

    @kernel
    def add(numbers: NDArray[np.int32]) -> None:
        numbers[0] += step

    with pytest.raises(TypeError, match="for other kernels"):
        add(np.zeros(1, np.int32))
