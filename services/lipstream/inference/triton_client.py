"""The connection to a Triton server, and what its faults mean.

A connection outlives the server's restarts: gRPC connects again by itself, here within half a
second of the server's return and not after the two minutes that its own pauses grow to.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from lipstream.errors import Internal, LipstreamError, Outage, Overloaded, Unavailable

__all__ = ["LONGEST_CALL_S", "TritonClient"]

T = TypeVar("T")

LONGEST_CALL_S = 10.0
_CHANNEL = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    # A host that vanished without a word is noticed.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.keepalive_permit_without_calls", 0),
]
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5
_DEAD_STUB = "is not healthy"
"""What Triton says when the Python process of a model has ended, which it does not restart."""
_RELOADING = "no available versions"


class TritonClient:
    """Calls with a deadline, tried again while the fault may pass; safe from several threads.

    Args:
        address: host:port of the server's gRPC side.

    Raises:
        Unavailable: tritonclient is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            # Imported late: most processes never talk to Triton, and this import is heavy.
            import tritonclient.grpc
        except ImportError as error:
            raise Unavailable(
                "tritonclient, which talks to Triton servers, is not installed.",
                remedy="Install it with pip install 'lipstream[motion]'.",
                code="no_triton_client",
            ) from error
        self.address = address
        self.grpc: Any = tritonclient.grpc
        self._fault: Any = tritonclient.grpc.InferenceServerException
        self.raw: Any = tritonclient.grpc.InferenceServerClient(address, channel_args=_CHANNEL)

    def call(
        self,
        work: Callable[[float], T],
        *,
        deadline_s: float = LONGEST_CALL_S,
        patience_s: float = 0.0,
    ) -> T:
        """What `work` returns; it gets its deadline in seconds.

        Steps are stateless, so a call that may have run before is simply made again.

        Args:
            patience_s: for how long faults that may pass are met with another try.

        Raises:
            Unavailable: the server does not answer, or has lost the model.
            Overloaded: its queue is full.
            Internal: it refuses the request.
        """
        give_up_s = time.monotonic() + patience_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return work(deadline_s)
            except self._fault as error:
                fault = self._meaning(error, deadline_s)
                if not _may_pass(error) or time.monotonic() + pause_s > give_up_s:
                    raise fault from error
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _meaning(self, error: Any, deadline_s: float) -> LipstreamError:
        server = f"The model server at {self.address}"
        said = str(error.message()).splitlines()[0][:300] if error.message() else "nothing"
        match _status(error):
            case "UNAVAILABLE" if "queue size" in said:
                return Overloaded(f"{server} has no room for more requests.")
            case "UNAVAILABLE":
                return Outage(
                    f"{server} does not answer.",
                    remedy="Start it, or correct LIPSTREAM_MODELS.",
                    code="models_unavailable",
                )
            case "DEADLINE_EXCEEDED":
                return Outage(
                    f"{server} did not answer within {deadline_s:g} s.",
                    remedy="It may be overloaded; add instances or replicas.",
                    code="models_late",
                )
            case "NOT_FOUND":
                return Unavailable(f"{server} has no such model: {said}", code="models_missing")
            case "INTERNAL" if _DEAD_STUB in said:
                return Outage(
                    f"{server} has lost the process of a model: {said}",
                    remedy="Unload and load the model: python -m lipstream.inference check "
                    f"triton://{self.address} --recover.",
                    code="models_dead",
                )
            case _:
                return Internal(f"{server} refused a request: {said}", code="model_mismatch")


def _status(error: Any) -> str:
    return str(error.status() or "").rpartition(".")[2]


def _may_pass(error: Any) -> bool:
    """Whether a restart or a reload of the model would explain the fault."""
    said = str(error.message())
    match _status(error):
        case "UNAVAILABLE":
            return True
        case "NOT_FOUND":
            return _RELOADING in said
        case "INTERNAL":
            return _DEAD_STUB in said
        case _:
            return False
