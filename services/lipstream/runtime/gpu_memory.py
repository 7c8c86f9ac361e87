"""The memory of the GPUs that a process sees, read when Prometheus asks."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, ClassVar, Self

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

__all__ = ["GpuMemory"]


class GpuMemory(Collector):
    """
    Args:
        service: label of the metric.
        nvml: the module `pynvml` of nvidia-ml-py, initialised.
    """

    NAME: ClassVar[str] = "lipstream_gpu_memory_bytes"
    LABELS: ClassVar[tuple[str, ...]] = ("device", "state")
    TEXT: ClassVar[str] = "Memory of each GPU, `used` and `total`."

    def __init__(self, service: str, nvml: Any) -> None:
        self._service = service
        self._nvml = nvml

    @classmethod
    def open(cls, service: str) -> Self | None:
        """None where there is no GPU, no driver, or no nvidia-ml-py (extra `gpu`)."""
        try:
            nvml = importlib.import_module("pynvml")
        except ImportError:
            return None
        try:
            nvml.nvmlInit()
        except nvml.NVMLError:
            return None
        return cls(service, nvml)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(self.NAME, self.TEXT, labels=("service", *self.LABELS))
        try:
            for number in range(self._nvml.nvmlDeviceGetCount()):
                handle = self._nvml.nvmlDeviceGetHandleByIndex(number)
                memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
                for state, size in (("used", memory.used), ("total", memory.total)):
                    family.add_metric((self._service, str(number), state), float(size))
        except self._nvml.NVMLError:
            return  # a device that fell off its bus must not take the other metrics with it
        yield family
