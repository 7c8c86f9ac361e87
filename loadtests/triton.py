"""A tritonserver for one benchmark, on the repository's models."""

from __future__ import annotations

import os
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lipstream.inference import MODELS_VARIABLE, ModelStore
from lipstream.inference.triton_server import TritonPorts, remove_leftovers, triton_component
from lipstream.runtime.local_stack import free_ports
from lipstream.runtime.supervisor import Supervisor

__all__ = ["executions", "models_on_triton"]


@contextmanager
def models_on_triton() -> Iterator[TritonPorts]:
    """Within, `ModelStore.default()` is a Triton server.

    Raises:
        Unavailable: there is none on this machine.
    """
    ports = TritonPorts(*free_ports(3))
    before = os.environ.get(MODELS_VARIABLE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        component = triton_component(ModelStore.bundled().root, ports, folder)
        try:
            with Supervisor([component], folder / "logs"):
                os.environ[MODELS_VARIABLE] = f"triton://127.0.0.1:{ports.grpc}"
                yield ports
        finally:
            os.environ.pop(MODELS_VARIABLE, None)
            if before is not None:
                os.environ[MODELS_VARIABLE] = before
            remove_leftovers(ports)


def executions(ports: TritonPorts) -> int:
    """Batches that all models together have run so far."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{ports.metrics}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    counters = [line for line in lines if line.startswith("nv_inference_exec_count{")]
    return sum(int(float(line.split()[-1])) for line in counters)
