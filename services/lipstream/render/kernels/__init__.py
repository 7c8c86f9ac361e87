"""Functions in machine code: how they are compiled, kept and called, and the vectors in them."""

from lipstream.render.kernels.kernel import Kernel, kernel

__all__ = ["Kernel", "kernel"]
