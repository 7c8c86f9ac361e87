"""Logs: one JSON object a line on stderr, with the job, session and stage that it is about."""

from __future__ import annotations

import contextvars
import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["JsonFormatter", "bound", "configure_logs"]

_BOUND: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar(
    "lipstream_log_fields", default=None
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@]*@", re.IGNORECASE)
_TALKATIVE = ("httpcore", "httpx")
"""They tell the whole address of each call: a webhook's may be a secret."""
_SECRET = re.compile(
    r"((?:api[_-]?key|authorization|password|secret\w*|token)[\"']?\s*[=:]\s*)"
    r"(?:bearer\s+)?[\"']?[^\s\"',;}]+",
    re.IGNORECASE,
)


@contextmanager
def bound(**fields: str) -> Iterator[None]:
    """Add fields such as `job_id` to every line that is logged inside, also in started threads."""
    token = _BOUND.set({**(_BOUND.get() or {}), **fields})
    try:
        yield
    finally:
        _BOUND.reset(token)


class JsonFormatter(logging.Formatter):
    """Formats a record, its `extra` and the bound fields; passwords and tokens are left out."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        milliseconds = int(record.created * 1000)
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{milliseconds % 1000:03d}Z",
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            **(_BOUND.get() or {}),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({name: _clean(value) for name, value in line.items()}, default=str)


def configure_logs(service: str, level: str = "INFO") -> None:
    """Send all logs of this process to stderr as JSON. Called once, from `main()`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET.sub(r"\1***", _USERINFO.sub(r"\1***@", value))
    return value
