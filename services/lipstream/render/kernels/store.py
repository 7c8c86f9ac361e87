"""Where compiled kernels lie: beside the sources, or in the user's cache where those are read-only;
before both, in the folder that `LIPSTREAM_KERNELS` names.

Machine code belongs to its sources, to numba and to the processor: all three are in a file's name,
so code of others is never found.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

__all__ = ["read_object", "write_object"]

_SHARED = (Path(__file__).parent, Path(__file__).parents[1] / "splats")
"""Sources of what kernels use: each of them may use what is in its own file, and in these."""
_FOLDER = "LIPSTREAM_KERNELS"


def read_object(label: str, source: Path) -> bytes | None:
    """The object file of a kernel; None where it is not compiled yet.

    Args:
        source: the file that the kernel is in.
    """
    name = _name(label, source)
    for folder in _folders():
        try:
            return (folder / name).read_bytes()
        except OSError:
            continue
    return None


def write_object(label: str, source: Path, data: bytes) -> None:
    """Keep it, where there is a place that can be written to."""
    name = _name(label, source)
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as own:
                file = Path(own) / name
                file.write_bytes(data)
                file.replace(folder / name)
            return
        except OSError:
            continue


def _folders() -> list[Path]:
    """Those that there are, the first choice first."""
    environ = os.environ
    folders = [Path(environ[_FOLDER])] if _FOLDER in environ else []
    folders.append(Path(__file__).parent / "__pycache__")
    if "XDG_CACHE_HOME" in environ:
        folders.append(Path(environ["XDG_CACHE_HOME"]) / "lipstream")
    elif "HOME" in environ:
        folders.append(Path(environ["HOME"]) / ".cache" / "lipstream")
    return folders


def _name(label: str, source: Path) -> str:
    origin = hashlib.sha256(f"{_origin()} {label} ".encode() + source.read_bytes())
    return f"{origin.hexdigest()[:32]}.o"


@cache
def _origin() -> str:
    """What all machine code of this process is made from, and for."""
    from llvmlite import binding

    processor = [
        os.environ.get("NUMBA_CPU_NAME") or binding.get_host_cpu_name(),
        os.environ.get("NUMBA_CPU_FEATURES") or binding.get_host_cpu_features().flatten(),
    ]
    sources = hashlib.sha256()
    for path in sorted(path for folder in _SHARED for path in folder.glob("*.py")):
        sources.update(path.read_bytes())
    return " ".join([version("numba"), version("llvmlite"), *processor, sources.hexdigest()])
