"""The page that lists every metric, written from what is declared.

`python -m lipstream.runtime.metrics_page > docs/metrics.md`
"""

from __future__ import annotations

from lipstream.runtime.telemetry import Telemetry

__all__ = ["metrics_page"]

_HEAD = """# Metrics

Every process answers `GET /metrics`: the gateway on its own port, a stage on
`LIPSTREAM_METRICS_PORT`. Each metric has the label `service`: `gateway`, `audio`, `motion`,
`avatar` or `render`. Labels are few, and none names a job, a session or a user. Times are seconds.
Beside these there are the usual metrics of a process, such as `process_cpu_seconds_total` and
`process_resident_memory_bytes`, and those of a Triton server, which has a port of its own.

| metric | kind | labels | what it is |
|---|---|---|---|
"""


def metrics_page() -> str:
    """`docs/metrics.md`."""
    rows = (
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{n}`' for n in metric.labels)} "
        f"| {metric.text} |\n"
        for metric in Telemetry("gateway").declared
    )
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    print(metrics_page(), end="")
