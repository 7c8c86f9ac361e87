"""The part of Kubernetes' API that fits use, over HTTP; a Job's command runs here, as a process.

It is no cluster: it schedules nothing and checks no permissions. It notes what it was asked, so
that tests can hold that against the chart's Role.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ["FakeCluster"]

_VERBS = {"POST": "create", "GET": "get", "DELETE": "delete"}


class FakeCluster:
    """
    Args:
        env: environment of the processes, beside this one's.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = {**os.environ, **env}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.asked: set[tuple[str, str, str]] = set()
        """API group, resource, verb."""
        self.notices_s = 0.0
        """How long after the end of a process its Job has ended."""
        self._ended_s: dict[str, float] = {}
        self.refuses = 0
        """Status of every answer, if not 0."""
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                cluster._answer(self)

            do_POST = do_DELETE = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        for name in self._processes:
            self.kill(name)
        self._server.shutdown()
        self._server.server_close()

    def kill(self, name: str) -> None:
        process = self._processes[name]
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait(10)

    def runs(self, name: str) -> bool:
        return name in self._processes and self._processes[name].poll() is None

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        length = int(request.headers.get("Content-Length") or 0)
        sent = json.loads(request.rfile.read(length) or b"{}")
        path = parts.path.strip("/").split("/")
        group = "" if path[0] == "api" else path[1]
        rest = path[path.index("namespaces") + 2 :]
        resource, name = rest[0], rest[1] if len(rest) > 1 else ""
        verb = _VERBS[request.command]
        if verb == "get" and not name:
            verb = "list"
        self.asked.add((group, "/".join([resource, *rest[2:]]), verb))
        query = parse_qs(parts.query)
        status, body = self._do(verb, "/".join([resource, *rest[2:]]), name, query, sent)
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        request.send_response(self.refuses or status)
        kind = "text/plain" if isinstance(body, str) else "application/json"
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _do(
        self, verb: str, resource: str, name: str, query: dict[str, list[str]], sent: dict[str, Any]
    ) -> tuple[int, dict[str, Any] | str]:
        if self.refuses:
            return self.refuses, {"kind": "Status", "code": self.refuses}
        if resource == "pods/log":
            return 200, (self._folder / f"{name.removesuffix('-pod')}.log").read_text()
        if resource == "pods":
            job = query["labelSelector"][0].partition("=")[2]
            return 200, {"kind": "PodList", "items": [self._pod(job)]}
        if verb == "create":
            name = sent["metadata"]["name"]
            if name in self.jobs:
                return 409, {"kind": "Status", "code": 409}
            self.jobs[name] = sent
            self._start(name)
            return 201, self._job(name)
        if verb == "list":
            label, _, value = query["labelSelector"][0].partition("=")
            names = [n for n, j in self.jobs.items() if j["metadata"]["labels"].get(label) == value]
            return 200, {"kind": "JobList", "items": [self._job(n) for n in names]}
        if name not in self.jobs:
            return 404, {"kind": "Status", "code": 404}
        if verb == "delete":
            self.kill(name)
            return 200, self.jobs.pop(name)
        return 200, self._job(name)

    def _start(self, name: str) -> None:
        container = self.jobs[name]["spec"]["template"]["spec"]["containers"][0]
        command = [*container.get("command", ()), *container["args"]]
        if command[0] == "python":
            command[0] = sys.executable
        with (self._folder / f"{name}.log").open("wb") as log:
            self._processes[name] = subprocess.Popen(
                command, env=self._env, stdout=log, stderr=subprocess.STDOUT
            )

    def _job(self, name: str) -> dict[str, Any]:
        code = self._processes[name].poll()
        if code is not None:
            ended_s = self._ended_s.setdefault(name, time.monotonic())
            code = code if time.monotonic() >= ended_s + self.notices_s else None
        kind = {None: "", 0: "Complete"}.get(code, "Failed")
        reason = "BackoffLimitExceeded" if kind == "Failed" else None
        ended = [{"type": kind, "status": "True", "reason": reason}] if kind else []
        return {**self.jobs[name], "status": {"conditions": ended}}

    def _pod(self, job: str) -> dict[str, Any]:
        code = self._processes[job].poll()
        state: dict[str, Any] = {"running": {}}
        if code is not None:
            # A container that is over its memory gets SIGKILL.
            reason = "OOMKilled" if code == -signal.SIGKILL else "Error"
            state = {"terminated": {"exitCode": abs(code), "reason": reason}}
        status = {
            "name": "fit",
            "state": state,
            "image": "",
            "imageID": "",
            "ready": False,
            "restartCount": 0,
        }
        return {
            "metadata": {"name": f"{job}-pod"},
            "status": {"containerStatuses": [status]},
        }
