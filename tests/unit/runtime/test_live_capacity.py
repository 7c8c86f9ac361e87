from __future__ import annotations

import time
from pathlib import Path

import pytest

from lipstream.render.live_cost import stand_in
from lipstream.render.renderer import SplatRenderer
from lipstream.runtime.cores import usable_cores
from lipstream.runtime.live_capacity import live_capacity, processor_cost
from lipstream.runtime.settings import Settings


def test_capacity_is_what_the_cores_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIPSTREAM_LIVE_CAPACITY", raising=False)
    cores = usable_cores()
    settings = Settings(max_streams=20)
    assert live_capacity(settings, lambda: cores * 0.8 / 5.5) == 5
    assert live_capacity(settings, lambda: 100.0) == 1
    assert live_capacity(settings, lambda: 1e-9) == 20
    assert live_capacity(Settings(live_capacity=7), pytest.fail) == 7


def test_cost_is_the_processor_time_of_a_step() -> None:
    busy = processor_cost(lambda: sum(range(500_000)), media_s=0.04, steps=3)
    idle = processor_cost(lambda: time.sleep(0.01), media_s=0.04, steps=3)
    assert 0 < idle < busy


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "50000 100000\n"}, 0.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "25000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.25),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_a_containers_quota_counts(
    tmp_path: Path, files: dict[str, str], expected: float | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    whole = usable_cores(tmp_path / "none")
    assert usable_cores(tmp_path) == (expected or whole)


def test_the_stand_in_is_an_avatar_that_can_be_drawn() -> None:
    assert SplatRenderer(stand_in(), 64).model.gaussians.parts.size > 10_000
