"""The package gives what it promises, and imports no more than is asked for."""

from __future__ import annotations

import subprocess
import sys

from lipstream import render

_UNNEEDED = ("lipstream.render.film", "lipstream.render.adjoint", "lipstream.face.face_controls")


def test_every_name_is_there() -> None:
    assert {name for name in render.__all__ if getattr(render, name, None) is None} == set()


def test_one_picture_needs_neither_films_nor_fits() -> None:
    program = f"""
import sys
from lipstream.render import SplatRenderer
print([name for name in {_UNNEEDED} if name in sys.modules])
"""
    run = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert run.stdout.strip() == "[]"
