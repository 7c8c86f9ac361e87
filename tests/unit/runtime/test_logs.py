from __future__ import annotations

import json
import logging
import threading
from contextvars import copy_context
from typing import Any

from lipstream.runtime.logs import JsonFormatter, bound


def line(message: str, *args: object, **extra: object) -> dict[str, Any]:
    record = logging.getLogger("lipstream.test").makeRecord(
        "lipstream.test", logging.INFO, "f.py", 1, message, args, None, extra=extra
    )
    text = JsonFormatter("audio").format(record)
    assert "\n" not in text
    document: dict[str, Any] = json.loads(text)
    return document


def test_a_line_says_which_job_it_is_about() -> None:
    with bound(stage="audio"), bound(job_id="j1"):
        seen = line("done in %d s", 3, frames=75)
        assert seen["message"] == "done in 3 s"
        assert (seen["service"], seen["stage"], seen["job_id"]) == ("audio", "audio", "j1")
        assert (seen["frames"], seen["level"]) == (75, "info")
        assert seen["time"].endswith("Z")
    assert "job_id" not in line("after")


def test_threads_started_for_a_job_log_under_it() -> None:
    seen: list[dict[str, Any]] = []
    with bound(job_id="j2"):
        context = copy_context()
    thread = threading.Thread(target=context.run, args=(lambda: seen.append(line("inside")),))
    thread.start()
    thread.join()
    assert seen[0]["job_id"] == "j2"


def test_secrets_stay_out() -> None:
    seen = line(
        "cannot reach redis://user:hunter2@host:6379/0 with api_key=abc123",
        url="https://me:pw@example.org/x",
        header='Authorization: Bearer eyJx"',
    )
    assert seen["message"] == "cannot reach redis://***@host:6379/0 with api_key=***"
    assert seen["url"] == "https://***@example.org/x"
    assert "eyJ" not in seen["header"]


def test_exceptions_and_odd_values_stay_on_one_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "m", (), (ValueError, error, error.__traceback__)
        )
    text = JsonFormatter("audio").format(record)
    assert "\n" not in text
    assert "Traceback" in json.loads(text)["exception"]
    assert line("odd", thing={1, 2})["thing"] == "{1, 2}"
