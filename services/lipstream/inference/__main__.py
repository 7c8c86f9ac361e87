"""A Triton server for one machine, and the health of any: `python -m lipstream.inference --help`.

`serve` runs tritonserver on a repository of models, watches it, and mends what Triton itself does
not. `watch` does the same for a server that something else runs, such as its pod: it answers
/readyz and /metrics on LIPSTREAM_METRICS_PORT. `check` looks once, and exits with 0 when every
model really runs.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from lipstream.errors import LipstreamError
from lipstream.inference.model_watch import ModelWatch
from lipstream.inference.store import ModelStore
from lipstream.inference.triton_health import TritonHealth
from lipstream.inference.triton_server import TritonPorts, remove_leftovers, triton_component
from lipstream.runtime.logs import configure_logs
from lipstream.runtime.settings import load_settings
from lipstream.runtime.supervisor import Supervisor


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lipstream.inference", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run a Triton server until Ctrl-C")
    serve.add_argument("--repository", type=Path, default=ModelStore.bundled().root)
    serve.add_argument("--grpc-port", type=int, default=TritonPorts().grpc)
    serve.add_argument("--http-port", type=int, default=TritonPorts().http)
    serve.add_argument("--metrics-port", type=int, default=TritonPorts().metrics)
    check = commands.add_parser("check", help="run every model of a server once")
    check.add_argument("server", help="triton://host:port")
    check.add_argument("--recover", action="store_true", help="reload models that do not run")
    watch = commands.add_parser("watch", help="see to a server's models until told to end")
    watch.add_argument("server", help="triton://host:port")
    arguments = parser.parse_args()
    try:
        if arguments.command == "serve":
            ports = TritonPorts(arguments.grpc_port, arguments.http_port, arguments.metrics_port)
            return _serve(arguments.repository, ports)
        address = ModelStore.at(arguments.server).server
        if arguments.command == "watch":
            return _watch(address)
        return _check(address, arguments.recover)
    except LipstreamError as error:
        print(f"lipstream.inference: {error}", file=sys.stderr)
        return 1


def _serve(repository: Path, ports: TritonPorts) -> int:
    stopping = _stopping()
    settings = load_settings()
    configure_logs("triton", settings.log_level)
    folder = settings.data_dir.absolute() / "triton"
    component = triton_component(repository, ports, folder)
    try:
        with Supervisor([component], folder / "logs"):
            address = f"127.0.0.1:{ports.grpc}"
            print(f"Serving {repository}: LIPSTREAM_MODELS=triton://{address}", flush=True)
            ModelWatch(address).run(stopping, settings)
    finally:
        remove_leftovers(ports)
    return 0


def _watch(address: str) -> int:
    settings = load_settings()
    configure_logs("triton", settings.log_level)
    ModelWatch(address).run(_stopping(), settings)
    return 0


def _stopping() -> threading.Event:
    """Set when this process is told to end."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stopping


def _check(address: str, recover: bool) -> int:
    health = TritonHealth(address)
    if recover:
        for fault in health.mend(health.faults()):
            print(f"{fault.message} It was loaded again.")
    faults = health.faults()
    for name, fault in faults.items():
        print(f"{name}: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
