"""A real Prometheus for tests, with the project's rules, on the processes of a stack."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest

from lipstream.runtime.local_stack import free_ports

__all__ = ["Prometheus"]

_ALERTS = Path(__file__).resolve().parents[3] / "helm" / "lipstream" / "alerts"
_LONG_S = 60.0


class Prometheus:
    """
    Args:
        targets: URLs of processes, by the name of their job.
        folder: for its data.
        alertmanager: host and port of what it tells its alerts.
    """

    def __init__(
        self, targets: Mapping[str, str], folder: Path, alertmanager: str | None = None
    ) -> None:
        found = shutil.which("prometheus")
        if found is None:
            pytest.skip("needs prometheus: make ops-tools")
        self._program: str = found
        (self._port,) = free_ports(1)
        self._folder = folder
        config: dict[str, Any] = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(_ALERTS / "*.yaml")],
            "scrape_configs": [
                {"job_name": name, "static_configs": [{"targets": [urlsplit(url).netloc]}]}
                for name, url in targets.items()
            ],
        }
        if alertmanager is not None:
            told = [{"static_configs": [{"targets": [alertmanager]}]}]
            config["alerting"] = {"alertmanagers": told}
        (folder / "prometheus.yml").write_text(json.dumps(config))  # which is YAML as well
        self._opener = build_opener(ProxyHandler({}))

    def __enter__(self) -> Self:
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    f"--config.file={self._folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self._folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                ],
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.wait(30)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The value of an expression now: its samples.

        Raises:
            HTTPError: it is none.
        """
        result: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return result

    def get(self, path: str, **parameters: str) -> Any:
        url = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urlencode(parameters)}"
        with self._opener.open(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def until(self, look: Callable[[Self], bool]) -> None:
        """Wait until what it has scraped satisfies `look`."""
        give_up_s = time.monotonic() + _LONG_S
        while time.monotonic() < give_up_s:
            assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
            try:
                if look(self):
                    return
            except OSError:
                pass  # it does not listen yet
            time.sleep(0.2)
        raise AssertionError("waited in vain")
