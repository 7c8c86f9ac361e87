"""A real tritonserver for tests, which can be killed and started again on the same ports."""

from __future__ import annotations

import signal
import time
import urllib.request
from pathlib import Path

import psutil

from lipstream.inference.triton_server import TritonPorts, remove_leftovers, triton_component
from lipstream.runtime.child import Child
from lipstream.runtime.local_stack import free_ports

__all__ = ["TritonProcess", "stub_of"]

_START_S = 60


class TritonProcess:
    """One server on a repository of models."""

    def __init__(self, repository: Path, folder: Path) -> None:
        self._repository = repository
        self._folder = folder
        self.ports = TritonPorts(*free_ports(3))
        self.address = f"127.0.0.1:{self.ports.grpc}"
        self.url = f"triton://{self.address}"
        self._child: Child | None = None

    def start(self) -> None:
        component = triton_component(self._repository, self.ports, self._folder)
        self._child = Child(component, self._folder / "log")
        self._child.start()
        give_up_s = time.monotonic() + _START_S
        while not self._child.is_ready():
            assert self._child.running, self._child.last_words()
            assert time.monotonic() < give_up_s, "tritonserver did not start"
            time.sleep(0.05)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._child is not None:
            pid = self._child.pid
            models = psutil.Process(pid).children() if pid and self._child.running else []
            self._child.signal(how)
            assert self._child.wait(30)
            for model in models:  # one that was being loaded may outlive a killed server
                if model.is_running():
                    model.kill()
        remove_leftovers(self.ports)

    def kill_model(self, name: str) -> None:
        """Kill the Python process of a model."""
        assert self._child is not None
        assert self._child.pid is not None
        stub = stub_of(name, self._child.pid)
        stub.kill()
        # Its parent, the server, does not collect it.
        while stub.is_running() and stub.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)

    def counts(self, name: str) -> tuple[int, int]:
        """How many requests the model has answered, in how many executions."""
        url = f"http://127.0.0.1:{self.ports.metrics}/metrics"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()

        def total(metric: str) -> int:
            return sum(
                int(float(line.split()[-1]))
                for line in lines
                if line.startswith(f'{metric}{{model="{name}"')
            )

        return total("nv_inference_request_success"), total("nv_inference_exec_count")


def stub_of(name: str, server_pid: int) -> psutil.Process:
    """The Python process of a model."""
    for process in psutil.Process(server_pid).children(recursive=True):
        # The server keeps those that were killed before.
        if process.status() == psutil.STATUS_ZOMBIE:
            continue
        if any(f"/{name}/" in word for word in process.cmdline()):
            return process
    raise AssertionError(f"{name} has no process")
