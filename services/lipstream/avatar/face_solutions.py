"""The parts of mediapipe that find faces and people, without the rest of it.

Its package, and that of its solutions, import all there is, pyplot and a recorder of sound among
it, which takes three times as long as what is used here.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType

__all__ = ["face_solution"]


def face_solution(name: str) -> ModuleType:
    """A module of `mediapipe.python.solutions`.

    Raises:
        ImportError: mediapipe is not installed.
    """
    for package in ("mediapipe", "mediapipe.python.solutions"):
        _open(package)
    return import_module(f"mediapipe.python.solutions.{name}")


def _open(package: str) -> None:
    """Let modules of a package be imported, though its `__init__` is not run."""
    if package in sys.modules:
        return
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    sys.modules[package] = module_from_spec(spec)
