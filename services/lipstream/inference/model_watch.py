"""Whether a Triton server's models run, looked at again and again; mends what Triton does not.

In a cluster it runs beside each server, in the same pod, so that the pod is ready when its models
really run, and so that one process alone reloads what died.
"""

from __future__ import annotations

import logging
import threading

from lipstream.errors import LipstreamError
from lipstream.inference.triton_health import TritonHealth
from lipstream.runtime.probes import ProbeServer
from lipstream.runtime.settings import Settings
from lipstream.runtime.telemetry import Telemetry

__all__ = ["ModelWatch"]

logger = logging.getLogger(__name__)

_PAUSE_S = 1.0


class ModelWatch:
    """
    Args:
        address: host:port of the server's gRPC side.
    """

    def __init__(self, address: str) -> None:
        self.telemetry = Telemetry("triton")
        self.ready = False
        """Whether every model ran when it was looked at last."""
        self._health = TritonHealth(address)
        self._models: set[str] = set()

    def look(self) -> list[LipstreamError]:
        """Run every model once, and reload those that have lost their process.

        Returns:
            The faults for which models were reloaded.
        """
        try:
            self._models.update(self._health.models())
            faults = self._health.faults()
            self._tell(set(faults))
            mended = self._health.mend(faults)
        except LipstreamError as error:
            logger.error("%s", error)
            self._tell(self._models)
            return []
        for fault in mended:
            logger.warning("%s It was loaded again.", fault.message)
            self.telemetry.model_reloaded()
        return mended

    def run(self, stopping: threading.Event, settings: Settings) -> None:
        """Look until `stopping`, and answer /readyz and /metrics meanwhile.

        Raises:
            Conflict: the port is taken.
        """
        probes = ProbeServer(
            self.telemetry,
            alive=lambda: True,
            ready=self._tell_ready,
            host=settings.host,
            port=settings.metrics_port,
        )
        probes.start()
        logger.info("watching models", extra={"metrics_port": probes.port})
        try:
            while not stopping.is_set():
                self.look()
                stopping.wait(_PAUSE_S)
        finally:
            probes.close()

    def _tell(self, faulty: set[str]) -> None:
        for name in self._models:
            self.telemetry.model_up(name, name not in faulty)
        self.ready = bool(self._models) and not faulty

    def _tell_ready(self) -> bool:
        self.telemetry.ready(self.ready)
        return self.ready
