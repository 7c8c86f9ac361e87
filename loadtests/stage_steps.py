"""How long each stage keeps a live message, as its own metrics tell it."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from lipstream.runtime.local_stack import LocalStack

__all__ = ["StageSteps"]

_STAGES = ("audio", "motion", "render")
_STEP = "lipstream_step_duration_seconds"


class StageSteps:
    """From a message's arrival to the first of its answer, of all messages since this was made."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._before = {stage: self._totals(stage) for stage in _STAGES}

    def mean_ms(self) -> dict[str, float]:
        """By stage; 0 where no message came."""
        means = {}
        for stage, (before_s, before) in self._before.items():
            spent_s, count = self._totals(stage)
            means[stage] = 1e3 * (spent_s - before_s) / max(count - before, 1)
        return means

    def _totals(self, stage: str) -> tuple[float, float]:
        """Seconds, messages."""
        url = f"{self._stack.metrics_urls[stage]}/metrics"
        text = httpx.get(url, trust_env=False).raise_for_status().text
        found = {f"{_STEP}_sum": 0.0, f"{_STEP}_count": 0.0}
        for family in text_string_to_metric_families(text):
            found |= {own.name: own.value for own in family.samples if own.name in found}
        return found[f"{_STEP}_sum"], found[f"{_STEP}_count"]
