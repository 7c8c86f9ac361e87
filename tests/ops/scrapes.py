"""What processes tell, kept as Prometheus would keep it, for `promtool test rules`.

A page is what all processes tell at one moment. A history holds pages a minute apart, with the
labels that the chart's ServiceMonitor adds. To see what a trouble of seconds would do in an hour,
it is held again and again: gauges stay as they were, and counters rise each time by as much as they
really rose.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from helm.render_dashboards import DASHBOARDS
from lipstream.runtime.local_stack import LocalStack
from tests.ops.promtool import promtool

__all__ = ["History", "Page", "check_alerts", "check_panels", "page", "scrape", "values"]

_RULES = sorted((Path(__file__).resolve().parents[2] / "helm/lipstream/alerts").glob("*.yaml"))
_BORN = "process_start_time_seconds"
_COUNTED = ("counter", "histogram", "summary")


class Series(NamedTuple):
    name: str
    labels: str
    """As PromQL writes them."""
    counts: bool
    """It rises until its process ends."""


Told: TypeAlias = Mapping[Series, float]
Page: TypeAlias = Mapping[str, Told]
"""By process; one that did not answer is not in it."""


def scrape(stack: LocalStack, patience_s: float = 10.0) -> Page:
    """What those processes of a stack that answer tell now."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    found: dict[str, Told] = {}
    # The gateway first: it looks whether Redis answers.
    for process, url in {"gateway": stack.url, **stack.metrics_urls}.items():
        try:
            with opener.open(f"{url}/metrics", timeout=patience_s) as answer:
                found |= page(process, answer.read().decode(), urlsplit(url).netloc)
        except OSError:
            continue
    return found


def page(process: str, text: str, instance: str = "127.0.0.1:9100") -> dict[str, Told]:
    """What one process told.

    Args:
        process: as components of a stack are named: `render-2` is a second replica.
    """
    component = process.partition("-")[0]
    added = {
        "namespace": "lipstream",
        "job": f"lipstream-{component}",
        "service": f"lipstream-{component}",
        "endpoint": "http" if component == "gateway" else "metrics",
        "container": component,
        "pod": f"lipstream-{process}",
        "instance": instance,
    }
    told = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            # What a process says of itself stands: `honorLabels`.
            labels = sorted({**added, **sample.labels}.items())
            written = ",".join(f"{name}={json.dumps(value)}" for name, value in labels)
            # The parser has all counters' names end alike.
            name = sample.name if sample.name in text else sample.name.removesuffix("_total")
            told[Series(name, written, family.type in _COUNTED)] = sample.value
    return {process: told}


def values(page: Page, name: str) -> dict[str, float]:
    """What each process tells of a metric, in all."""
    return {
        process: sum(value for series, value in told.items() if series.name == name)
        for process, told in page.items()
    }


class History:
    """Pages a minute apart."""

    def __init__(self) -> None:
        self.minutes = 0
        self._values: dict[Series, list[float | None]] = {}
        self._levels: dict[str, dict[Series, float]] = {}
        """What each process told last."""

    def play(self, pages: Sequence[Page], times: int = 1) -> None:
        """Go on with the first page, and then so many times from each page to the next."""
        self._hold(pages[0], pages[0])
        for _ in range(times):
            for before, now in pairwise(pages):
                self._hold(now, before)

    def series(self, names: Collection[str]) -> list[dict[str, str]]:
        """As promtool reads them, of metrics of these names."""
        return [
            {"series": f"{series.name}{{{series.labels}}}", "values": _written(values)}
            for series, values in self._values.items()
            if series.name in names
        ]

    def _hold(self, now: Page, before: Page) -> None:
        for process, told in now.items():
            self._levels[process] = self._grown(process, told, before.get(process, {}))
        shown = {k: v for process in now for k, v in self._levels[process].items()}
        for series in shown.keys() - self._values.keys():
            self._values[series] = [None] * self.minutes
        for series, values in self._values.items():
            values.append(shown.get(series))
        self.minutes += 1

    def _grown(self, process: str, told: Told, before: Told) -> dict[Series, float]:
        """Where this process is after it did what it did between two pages."""
        levels = self._levels.get(process, {})
        grown = dict(told)
        if _born(told) == _born(levels):
            for series, level in levels.items():
                if series.counts:
                    grown[series] = level + told.get(series, 0.0) - before.get(series, 0.0)
        return grown


def check_alerts(folder: Path, history: History, *names: str, among: Collection[str] = ()) -> None:
    """Have promtool see that these alerts, and no others, fire at the end of a history.

    Args:
        folder: for its file.
        among: the others that are looked at, if not all.
    """
    chosen = "|".join(sorted({*names, *among})) if among else ".*"
    fires = f'group by (alertname) (ALERTS{{alertstate="firing", alertname=~"{chosen}"}})'
    expected = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in names]
    _check(folder, history, [(fires, expected)])


def check_panels(
    folder: Path,
    history: History,
    *,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
) -> None:
    """Have promtool see that what dashboards ask has an answer at the end of a history.

    Args:
        folder: for its file.
        only: titles of the panels to look at, if not all but those in `without`.
    """
    asked = {
        query.expr.replace("$__rate_interval", "5m")
        for panels in DASHBOARDS.values()
        for panel in panels
        for query in panel.queries
        if (panel.title not in without if only is None else panel.title in only)
    }
    answered = [{"labels": "{}", "value": 1}]
    _check(folder, history, [(f"group(({expr}) > -Inf)", answered) for expr in sorted(asked)])


def _check(folder: Path, history: History, asked: Sequence[tuple[str, Any]]) -> None:
    rules = [path.read_text() for path in _RULES]
    names = re.findall(r"\w+", " ".join([*rules, *(expr for expr, _ in asked)]))
    moment = f"{history.minutes - 1}m"
    test = {
        "interval": "1m",
        "input_series": history.series(set(names)),
        "promql_expr_test": [
            {"expr": expr, "eval_time": moment, "exp_samples": samples} for expr, samples in asked
        ],
    }
    path = folder / "scrapes.test.yaml"
    rule_files = list(map(str, _RULES))
    told = {"rule_files": rule_files, "evaluation_interval": "1m", "tests": [test]}
    path.write_text(json.dumps(told))
    promtool("test", "rules", path)


def _born(told: Told) -> float | None:
    return next((value for series, value in told.items() if series.name == _BORN), None)


def _written(values: Sequence[float | None]) -> str:
    """In promtool's words; what is not told any more is stale at once."""
    words = []
    for before, value in pairwise([None, *values]):
        gone = "_" if before is None else "stale"
        words.append(gone if value is None else repr(value))
    return " ".join(words)
