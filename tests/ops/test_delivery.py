"""An alert on its whole way: from a service's page by Prometheus and Alertmanager to a call."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lipstream.errors import Verdict
from lipstream.runtime.local_stack import free_ports
from lipstream.runtime.telemetry import Telemetry
from tests.integration.security.receiver import Receiver
from tests.integration.sessions.prometheus import Prometheus

_ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def _served(telemetry: Telemetry) -> Iterator[str]:
    """URL of a service that tells this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = telemetry.exposition()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _alertmanager(folder: Path, calls: str) -> Iterator[str]:
    """Host and port of one that calls a URL."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("needs alertmanager: make ops-tools")
    config = {
        "route": {"receiver": "here", "group_wait": "0s", "group_interval": "1s"},
        "receivers": [{"name": "here", "webhook_configs": [{"url": calls}]}],
    }
    (folder / "alertmanager.yml").write_text(json.dumps(config))
    (port,) = free_ports(1)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                *(program, f"--config.file={folder / 'alertmanager.yml'}"),
                *(f"--storage.path={folder / 'data'}", "--cluster.listen-address="),
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def test_dead_letters_reach_who_is_on_call(tmp_path: Path) -> None:
    telemetry = Telemetry("render")
    telemetry.dead_lettered(Verdict.RETRY)
    (tmp_path / "manager").mkdir()
    with (
        Receiver() as receiver,
        _alertmanager(tmp_path / "manager", receiver.url) as manager,
        _served(telemetry) as url,
        Prometheus({"render": url}, tmp_path, manager) as prometheus,
    ):
        prometheus.until(lambda p: bool(p.query("lipstream_dead_letters_total == 1")))
        telemetry.dead_lettered(Verdict.RETRY)
        (alert,) = json.loads(receiver.calls.get(timeout=60).body)["alerts"]
    assert alert["status"] == "firing"
    assert alert["labels"]["alertname"] == "LipstreamDeadLetters"
    assert alert["labels"]["service"] == "render"
    assert alert["annotations"]["summary"].startswith("The render stage gave up")
    page, _, section = alert["annotations"]["runbook_url"].partition("#")
    assert f"## {section}" in (_ROOT / page).read_text().lower()
