"""The tritonserver of one machine: its program, its arguments, and whether it answers.

For development and tests. It is the server in the wheel of nvidia-pytriton, whose Python side is
never imported; it has the Python backend only. Production runs NVIDIA's image on the same
repository of models.
"""

from __future__ import annotations

import http.client
import importlib.util
import os
import signal
import socket
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from lipstream.errors import Conflict, Unavailable
from lipstream.runtime.child import Component

__all__ = [
    "TritonPorts",
    "find_triton",
    "remove_leftovers",
    "triton_answers",
    "triton_component",
]

_WHEEL = "nvidia-pytriton==0.7.0"
_READY_TIMEOUT_S = 1.0
_SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class TritonPorts:
    """All on loopback."""

    grpc: int = 8001
    http: int = 8000
    metrics: int = 8002


def find_triton() -> Path:
    """The folder of the server in nvidia-pytriton's wheel.

    Raises:
        Unavailable: it is not installed, or not made for this machine's Python.
    """
    found = importlib.util.find_spec("pytriton")
    for place in (found.submodule_search_locations or ()) if found else ():
        folder = Path(place) / "tritonserver"
        if _stub(folder).is_file():
            return folder
    raise Unavailable(
        "There is no tritonserver on this machine.",
        remedy=f"On Linux on x86-64: pip install --no-deps {_WHEEL}.",
        code="no_triton",
    )


def triton_component(
    repository: Path, ports: TritonPorts, folder: Path, *, program: Path | None = None
) -> Component:
    """The server as a process to supervise. Models can be unloaded and loaded while it runs.

    Args:
        repository: of models.
        folder: for what the server needs to lie in one place; made if it is not there.
        program: what `find_triton` found.

    Raises:
        Unavailable: there is no server on this machine.
        Conflict: one of the ports is taken.
    """
    found = program or find_triton()
    for port in (ports.grpc, ports.http, ports.metrics):
        _require_free(port)
    remove_leftovers(ports)
    backends = folder / "backends"
    _lay_out(found, backends / "python")
    options = {
        "model-repository": str(repository.absolute()),
        "model-control-mode": "explicit",
        "load-model": "*",
        "backend-directory": str(backends),
        **{f"{side}-address": "127.0.0.1" for side in ("grpc", "http", "metrics")},
        "grpc-port": str(ports.grpc),
        "http-port": str(ports.http),
        "metrics-port": str(ports.metrics),
        "allow-gpu-metrics": "false",
        "exit-timeout-secs": "1",
        "backend-config": f"python,shm-region-prefix-name={_shared_memory(ports)}",
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    # The server's Python processes take their interpreter from the first python on PATH, and its
    # library from where that interpreter was built to have it.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    libraries = [sysconfig.get_config_var("LIBDIR") or "", os.environ.get("LD_LIBRARY_PATH", "")]
    return Component(
        "triton",
        (str(found / "bin" / "tritonserver"), *arguments),
        ready=lambda: triton_answers(ports.http),
        env={
            "ORT_DISABLE_TELEMETRY": "1",
            "PATH": path,
            "LD_LIBRARY_PATH": os.pathsep.join(filter(None, libraries)),
            # The repository of models is not the place for compiled Python.
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        death_signal=signal.SIGTERM,
    )


def triton_answers(http_port: int) -> bool:
    """Whether a server on loopback has loaded its models."""
    connection = http.client.HTTPConnection("127.0.0.1", http_port, timeout=_READY_TIMEOUT_S)
    try:
        connection.request("GET", "/v2/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def remove_leftovers(ports: TritonPorts) -> None:
    """Free the shared memory that killed processes of the server on these ports left behind."""
    for path in _SHARED_MEMORY.glob(f"{_shared_memory(ports)}*"):
        path.unlink(missing_ok=True)


def _shared_memory(ports: TritonPorts) -> str:
    return f"lipstream_triton_{ports.grpc}_"


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # A port whose last connections are only closing counts as free, as it does for Triton.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Conflict(
                f"Nothing can listen at 127.0.0.1:{port}: {error.strerror}.",
                remedy="Stop what listens there, or choose another port.",
            ) from error


def _stub(folder: Path) -> Path:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return folder / "python_backend_stubs" / version / "triton_python_backend_stub"


def _lay_out(found: Path, backend: Path) -> None:
    """The server looks for the stub of this Python beside the backend's library."""
    backend.mkdir(parents=True, exist_ok=True)
    for target in (*(found / "backends" / "python").iterdir(), _stub(found)):
        link = backend / target.name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
