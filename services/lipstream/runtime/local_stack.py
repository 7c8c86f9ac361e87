"""The whole platform on one machine: Redis, every stage and the gateway as processes of their own.

Everything listens on loopback, on ports that are free, and keeps its state in one folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import random
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from lipstream.errors import BadInput, Conflict, Unavailable
from lipstream.pipeline import STAGES
from lipstream.runtime.child import Component
from lipstream.runtime.redis_server import (
    check_redis,
    find_redis_server,
    redis_answers,
    redis_command,
)
from lipstream.runtime.settings import Settings
from lipstream.runtime.supervisor import START_TIMEOUT_S, Supervisor

__all__ = ["LocalStack", "PythonService", "free_ports", "shared_redis"]

# Below the range from which the kernel takes ports for outgoing connections.
_PORT_RANGE = range(20_000, 32_000)
_READY_TIMEOUT_S = 1.0
_REDIS_ORDER, _STAGE_ORDER, _GATEWAY_ORDER = range(3)
_LOCAL_DRAIN_S = 2.0
_REDIS_NOTE = "redis.url"


@dataclass(frozen=True, slots=True)
class PythonService:
    """A service that is run by `python -m` and answers /readyz on its metrics port."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()


STAGE_SERVICES = tuple(PythonService(stage.name, stage.module) for stage in STAGES)
GATEWAY_SERVICE = PythonService("gateway", "lipstream.gateway")


class LocalStack:
    """A running stack. Use it as a context; leaving it ends every process.

    Args:
        settings: where data is kept, and a Redis or object store to use in place of the local
            ones. The stack's processes get the rest of the environment unchanged.
        gateway_port: 0 for any free one.
        stages: what to run as stages.
        gateway: what to run as gateway, or nothing.
        replicas: how many processes run a stage, where that is not one. Further ones are the
            components `render-2` and so on.

    Raises:
        BadInput: `replicas` names no stage, or processes cannot share the object store.
        Conflict: another stack runs in the data folder, or the gateway's port is taken.
        Unavailable: there is no redis-server, that of the settings does not answer, or a process
            does not start.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        gateway_port: int = 0,
        stages: Sequence[PythonService] = STAGE_SERVICES,
        gateway: PythonService | None = GATEWAY_SERVICE,
        replicas: Mapping[str, int] | None = None,
    ) -> None:
        if settings.store_url.startswith("memory:"):
            raise BadInput(
                "Processes cannot share a memory:// object store.",
                remedy="Set LIPSTREAM_STORE to a folder or a cloud's store.",
            )
        if settings.tls_ca or settings.tls_cert or settings.tls_key:
            from lipstream.runtime.tls import TlsFiles  # loads gRPC

            TlsFiles.of(settings)
        self.data_dir = settings.data_dir.absolute()
        self.store_url = settings.store_url
        self._auth = settings.auth
        own_drain = "drain_s" in settings.model_fields_set
        self._drain_s = settings.drain_s if own_drain else _LOCAL_DRAIN_S
        self._lock: IO[str] | None = None
        self._stages = _replicated(stages, replicas or {})
        # One port for Redis, two for each process of a stage, one for the gateway.
        ports = iter(free_ports(2 + 2 * len(self._stages)))
        own_redis = "redis" not in settings.model_fields_set
        redis_port = next(ports)
        self.redis_url = f"redis://127.0.0.1:{redis_port}/0" if own_redis else settings.redis
        self._own_redis_port = redis_port if own_redis else None
        self._stage_ports = {name: (next(ports), next(ports)) for name in self._stages}
        self._gateway_port = gateway_port or next(ports)
        if gateway and gateway_port and not _is_free(gateway_port):
            raise Conflict(f"Port {gateway_port} is taken.", remedy="Choose another with --port.")
        self._gateway = gateway
        self._supervisor: Supervisor | None = None

    @property
    def url(self) -> str:
        """The gateway's."""
        return f"http://127.0.0.1:{self._gateway_port}"

    @property
    def addresses(self) -> Mapping[str, str]:
        """host:port of each stage's first gRPC server."""
        first = (stage.name for stage in self._stages.values())
        return {name: f"127.0.0.1:{self._stage_ports[name][0]}" for name in first}

    def component_at(self, address: str) -> str:
        """The component whose gRPC server is at host:port."""
        port = int(address.rpartition(":")[2])
        return next(name for name, ports in self._stage_ports.items() if ports[0] == port)

    @property
    def metrics_urls(self) -> Mapping[str, str]:
        """Where each stage component's /metrics, /healthz and /readyz are."""
        return {n: f"http://127.0.0.1:{ports[1]}" for n, ports in self._stage_ports.items()}

    @property
    def log_dir(self) -> Path:
        return self.data_dir / "logs"

    @property
    def pids(self) -> dict[str, int]:
        """Processes that run now, by component."""
        return self._supervisor.pids if self._supervisor else {}

    @property
    def restarts(self) -> dict[str, int]:
        """How often each component had to be started again."""
        return self._supervisor.restarts if self._supervisor else {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start everything at once and wait until all is ready."""
        if self._own_redis_port is None:
            check_redis(self.redis_url)
        self._take_folder()
        try:
            self._supervisor = Supervisor(self._components(), self.log_dir)
            self._supervisor.start(timeout_s)
            if self._own_redis_port is not None:  # another's URL may hold a password
                (self.data_dir / _REDIS_NOTE).write_text(self.redis_url)
        except BaseException:
            self.stop()
            raise

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until `stop` is called elsewhere; say whether it was."""
        return self._supervisor is None or self._supervisor.wait(timeout_s)

    def stop(self) -> None:
        """End everything: the gateway, then the stages, then Redis. May be called again."""
        if self._supervisor is not None:
            self._supervisor.stop()
        if self._lock is not None:
            (self.data_dir / _REDIS_NOTE).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def _take_folder(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            lock = (self.data_dir / "lock").open("w")
        except OSError as error:
            raise Unavailable(
                f"The data folder {self.data_dir} cannot be used: {error.strerror}.",
                remedy="Name another one in LIPSTREAM_DATA_DIR.",
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise Conflict(
                f"Another stack runs in {self.data_dir}.",
                remedy="Stop it, or name another folder in LIPSTREAM_DATA_DIR.",
            ) from None
        self._lock = lock
        # What handlers of an earlier stack left when they were killed.
        shutil.rmtree(self.data_dir / "scratch", ignore_errors=True)

    def _components(self) -> list[Component]:
        components = []
        if self._own_redis_port is not None:
            folder = self.data_dir / "redis"
            folder.mkdir(exist_ok=True)
            port = self._own_redis_port
            components.append(
                Component(
                    "redis",
                    redis_command(find_redis_server(), port, folder),
                    ready=lambda: redis_answers(port),
                    order=_REDIS_ORDER,
                )
            )
        for name, stage in self._stages.items():
            grpc_port, metrics_port = self._stage_ports[name]
            env = {
                "LIPSTREAM_GRPC_PORT": str(grpc_port),
                "LIPSTREAM_METRICS_PORT": str(metrics_port),
            }
            url = self.metrics_urls[name]
            components.append(self._python(name, stage, _STAGE_ORDER, url, env))
        if self._gateway is not None:
            env = {"LIPSTREAM_GATEWAY_PORT": str(self._gateway_port)}
            name = self._gateway.name
            components.append(self._python(name, self._gateway, _GATEWAY_ORDER, self.url, env))
        return components

    def _python(
        self, name: str, service: PythonService, order: int, url: str, env: Mapping[str, str]
    ) -> Component:
        addresses = {f"LIPSTREAM_{n.upper()}_ADDRESS": at for n, at in self.addresses.items()}
        return Component(
            name,
            (sys.executable, "-m", service.module, *service.arguments),
            ready=_ready_at(f"{url}/readyz"),
            env={
                "LIPSTREAM_REDIS": self.redis_url,
                "LIPSTREAM_STORE": self.store_url,
                "LIPSTREAM_DATA_DIR": str(self.data_dir),
                "LIPSTREAM_HOST": "127.0.0.1",
                "LIPSTREAM_AUTH": self._auth,
                "LIPSTREAM_DRAIN_S": str(self._drain_s),
                # Work moves between threads: with an arena for each, freed memory stays taken.
                "MALLOC_ARENA_MAX": "2",
                **addresses,
                **env,
            },
            order=order,
        )


def shared_redis(settings: Settings) -> str:
    """URL of the Redis that the settings name, or that of the stack in their data folder.

    Raises:
        Unavailable: no stack runs there.
    """
    if "redis" in settings.model_fields_set:
        return settings.redis
    try:
        return (settings.data_dir / _REDIS_NOTE).read_text()
    except OSError:
        raise Unavailable(
            f"No stack runs in {settings.data_dir}.",
            remedy="Start one with lipstream up, or name a Redis in LIPSTREAM_REDIS.",
            code="no_stack",
        ) from None


def _replicated(
    stages: Sequence[PythonService], replicas: Mapping[str, int]
) -> dict[str, PythonService]:
    """What to run, by the component's name."""
    for name in replicas.keys() - {stage.name for stage in stages}:
        known = ", ".join(stage.name for stage in stages)
        raise BadInput(f"There is no stage {name!r}.", remedy=f"Stages are: {known}.")
    return {
        stage.name if number == 1 else f"{stage.name}-{number}": stage
        for stage in stages
        for number in range(1, 1 + replicas.get(stage.name, 1))
    }


def free_ports(count: int) -> list[int]:
    """Ports on loopback on which nothing listens now."""
    ports: list[int] = []
    with contextlib.ExitStack() as held:
        for port in _shuffled(_PORT_RANGE):
            if len(ports) == count:
                break
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            ports.append(port)
    if len(ports) < count:
        raise Unavailable("There are not enough free ports on this machine.")
    return ports


def _shuffled(numbers: Iterable[int]) -> list[int]:
    return random.sample(pool := list(numbers), len(pool))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _ready_at(url: str) -> Callable[[], bool]:
    # Never through a proxy that the environment names.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ready() -> bool:
        try:
            with opener.open(url, timeout=_READY_TIMEOUT_S) as answer:
                good: bool = answer.status == 200
        except (OSError, urllib.error.URLError):
            return False
        return good

    return ready
