"""Writes the Grafana dashboards of the chart: `python helm/render_dashboards.py`.

A dashboard is a few rows of data here and some hundred lines of JSON there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent / "lipstream" / "dashboards"
_WIDTH, _HEIGHT = 12, 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Query:
    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    unit: str
    """Of Grafana: `s`, `short`, `reqps`, `percentunit`, `bytes`."""
    queries: tuple[Query, ...]
    text: str = ""


def _rate(metric: str, by: str = "", match: str = "") -> str:
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (rate({metric}{{{match}}}[$__rate_interval]))"


def _quantile(share: float, metric: str, by: str = "", match: str = "") -> str:
    grouped = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, {_rate(f'{metric}_bucket', grouped, match)})"


def _percentiles(metric: str, by: str = "", match: str = "") -> tuple[Query, ...]:
    legend = f" {{{{{by}}}}}" if by else ""
    return tuple(
        Query(_quantile(share / 100, metric, by, match), f"p{share}{legend}")
        for share in (50, 95, 99)
    )


_GATEWAY = 'service="gateway"'
_FIRST = "lipstream_first_frame_seconds"

DASHBOARDS: dict[str, tuple[Panel, ...]] = {
    "overview": (
        Panel(
            "Replicas that take work",
            "short",
            (Query("sum by (service) (lipstream_ready)", "{{service}}"),),
        ),
        Panel(
            "Redis answers",
            "short",
            (Query("min by (service) (lipstream_redis_up)", "{{service}}"),),
        ),
        Panel(
            "Calls of the gateway",
            "reqps",
            (Query(_rate("lipstream_requests_total", "code", _GATEWAY), "{{code}}"),),
        ),
        Panel(
            "Time of calls of the gateway",
            "s",
            _percentiles(
                "lipstream_request_duration_seconds",
                "",
                f'{_GATEWAY}, method!~".*/events|GET /(healthz|readyz|metrics)"',
            ),
            "Without streams of events, which last as long as their jobs, and without probes.",
        ),
        Panel(
            "Speech to first picture, warm",
            "s",
            _percentiles(_FIRST, "", f'{_GATEWAY}, lane="live", start="warm"'),
        ),
        Panel(
            "Live sessions",
            "short",
            (Query("sum by (state) (lipstream_sessions)", "{{state}}"),),
        ),
        Panel(
            "Work under way",
            "short",
            (Query("sum by (service, lane) (lipstream_in_flight)", "{{service}} {{lane}}"),),
        ),
        Panel(
            "Messages that wait",
            "short",
            (Query('max by (service) (lipstream_queue_depth{state="waiting"})', "{{service}}"),),
        ),
        Panel(
            "Cores in use",
            "short",
            (Query(_rate("process_cpu_seconds_total", "job"), "{{job}}"),),
        ),
        Panel(
            "Memory",
            "bytes",
            (Query("sum by (job) (process_resident_memory_bytes)", "{{job}}"),),
        ),
    ),
    "live": (
        Panel(
            "Speech to first picture",
            "s",
            (Query(_quantile(0.95, _FIRST, "start", f'{_GATEWAY}, lane="live"'), "p95 {{start}}"),),
        ),
        Panel(
            "Budget of slow first pictures: how fast it burns",
            "short",
            tuple(
                Query(f"lipstream:first_frame_slow:ratio_rate{window} / 0.01", window)
                for window in ("5m", "30m", "1h", "6h")
            ),
            "1 spends a month's budget in a month; alerts fire at 14.4 and 6.",
        ),
        Panel(
            "Pictures left out",
            "percentunit",
            (
                Query(
                    f"{_rate('lipstream_late_frames_total', '', _GATEWAY)} / "
                    f"({_rate('lipstream_late_frames_total', '', _GATEWAY)} + "
                    f"{_rate('lipstream_av_offset_seconds_count', '', _GATEWAY)})",
                    "late",
                ),
            ),
        ),
        Panel(
            "Playback delayed by stages that are behind",
            "percentunit",
            (
                Query(
                    f"{_rate('lipstream_live_delayed_seconds_total', '', _GATEWAY)} / "
                    f"sum(lipstream_sessions{{{_GATEWAY}}})",
                    "delayed",
                ),
            ),
            "Share of a session's time.",
        ),
        Panel(
            "How far pictures leave behind their sound",
            "s",
            _percentiles("lipstream_av_offset_seconds", "", _GATEWAY),
            "Below 0: ahead of it.",
        ),
        Panel(
            "A live step, p99",
            "s",
            (Query(_quantile(0.99, "lipstream_step_duration_seconds", "service"), "{{service}}"),),
        ),
        Panel(
            "First picture of a call, render stage, p95",
            "s",
            (
                Query(
                    _quantile(0.95, _FIRST, "start", 'service="render", lane="live"'), "{{start}}"
                ),
            ),
        ),
        Panel(
            "Live frames made",
            "short",
            (Query(_rate("lipstream_frames_total", "service", 'lane="live"'), "{{service}}"),),
        ),
        Panel(
            "Speech heard, seconds a second",
            "short",
            (Query(_rate("lipstream_audio_seconds_total", "", 'lane="live"'), "speech"),),
        ),
        Panel(
            "Live sessions",
            "short",
            (Query("sum by (state) (lipstream_sessions)", "{{state}}"),),
        ),
        Panel(
            "Places for live streams, taken",
            "percentunit",
            (
                Query(
                    "sum by (service) (lipstream_live_streams) / "
                    "sum by (service) (lipstream_live_capacity)",
                    "{{service}}",
                ),
            ),
        ),
        Panel("Opening a session", "s", _percentiles("lipstream_session_open_seconds")),
        Panel(
            "How sessions end",
            "short",
            (Query(_rate("lipstream_sessions_ended_total", "reason"), "{{reason}}"),),
        ),
        Panel(
            "Sessions asked for",
            "reqps",
            (
                Query(
                    _rate(
                        "lipstream_requests_total",
                        "code",
                        f'{_GATEWAY}, method="POST /v1/sessions"',
                    ),
                    "{{code}}",
                ),
            ),
        ),
    ),
    "jobs": (
        Panel(
            "Jobs that ended",
            "short",
            (
                Query(
                    _rate("lipstream_job_duration_seconds_count", "kind, outcome"),
                    "{{kind}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "Time of whole jobs, p95",
            "s",
            (Query(_quantile(0.95, "lipstream_job_duration_seconds", "kind"), "{{kind}}"),),
        ),
        Panel(
            "Messages by state",
            "short",
            (Query("max by (service, state) (lipstream_queue_depth)", "{{service}} {{state}}"),),
        ),
        Panel(
            "The next message has waited",
            "s",
            (Query("max by (service) (lipstream_queue_oldest_seconds)", "{{service}}"),),
        ),
        Panel(
            "Waits in queues, p95",
            "s",
            (Query(_quantile(0.95, "lipstream_queue_wait_seconds", "service"), "{{service}}"),),
        ),
        Panel(
            "Time of tries, p95",
            "s",
            (Query(_quantile(0.95, "lipstream_work_duration_seconds", "service"), "{{service}}"),),
        ),
        Panel(
            "Tries by outcome",
            "short",
            (Query(_rate("lipstream_work_total", "service, outcome"), "{{service}} {{outcome}}"),),
        ),
        Panel(
            "Tries to be done again",
            "short",
            (Query(_rate("lipstream_retries_total", "service, code"), "{{service}} {{code}}"),),
        ),
        Panel(
            "Given up",
            "short",
            (
                Query(
                    _rate("lipstream_dead_letters_total", "service, fault"),
                    "{{service}} {{fault}}",
                ),
            ),
        ),
        Panel(
            "Taken over from dead workers",
            "short",
            (Query(_rate("lipstream_taken_over_total", "service"), "{{service}}"),),
        ),
        Panel(
            "Frames made for jobs",
            "short",
            (Query(_rate("lipstream_frames_total", "service", 'lane="job"'), "{{service}}"),),
        ),
        Panel(
            "First frame of a film, p95",
            "s",
            (Query(_quantile(0.95, _FIRST, "start", 'service="render", lane="job"'), "{{start}}"),),
        ),
    ),
    "models": (
        Panel(
            "Rows a batch, mean",
            "short",
            (
                Query(
                    f"{_rate('lipstream_batch_size_sum', 'work')} / "
                    f"{_rate('lipstream_batch_size_count', 'work')}",
                    "{{work}}",
                ),
            ),
        ),
        Panel(
            "Time of a batch, p95",
            "s",
            (Query(_quantile(0.95, "lipstream_batch_duration_seconds", "work"), "{{work}}"),),
        ),
        Panel(
            "Rows a second",
            "short",
            (Query(_rate("lipstream_batch_size_sum", "work"), "{{work}}"),),
        ),
        Panel(
            "Models run",
            "short",
            (Query("min by (model) (lipstream_model_up)", "{{model}}"),),
        ),
        Panel(
            "Models loaded again",
            "short",
            (Query(_rate("lipstream_model_reloads_total"), "reloads"),),
        ),
        Panel(
            "Steps without a number",
            "short",
            (Query(_rate("lipstream_non_finite_total", "service, lane"), "{{service}} {{lane}}"),),
        ),
        Panel(
            "Triton: requests a batch",
            "short",
            (
                Query(
                    f"{_rate('nv_inference_count', 'model')} / "
                    f"{_rate('nv_inference_exec_count', 'model')}",
                    "{{model}}",
                ),
            ),
        ),
        Panel(
            "Triton: wait for a batch, mean",
            "s",
            (
                Query(
                    f"{_rate('nv_inference_queue_duration_us', 'model')} / 1e6 / "
                    f"{_rate('nv_inference_request_success', 'model')}",
                    "{{model}}",
                ),
            ),
        ),
        Panel(
            "GPU memory",
            "bytes",
            (
                Query(
                    "max by (service, device, state) (lipstream_gpu_memory_bytes)",
                    "{{service}} {{device}} {{state}}",
                ),
            ),
        ),
    ),
}


def dashboard(name: str) -> dict[str, Any]:
    """A dashboard as Grafana imports it."""
    return {
        "uid": f"lipstream-{name}",
        "title": f"lipstream: {name}",
        "tags": ["lipstream"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]
        },
        "panels": [_panel(number, panel) for number, panel in enumerate(DASHBOARDS[name])],
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, 2)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.text,
        "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": _SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend,
            }
            for place, query in enumerate(panel.queries)
        ],
    }


def main() -> None:
    for name in DASHBOARDS:
        (_FOLDER / f"{name}.json").write_text(json.dumps(dashboard(name), indent=2) + "\n")


if __name__ == "__main__":
    main()
