from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lipstream.gateway.sessions.session_meter import SessionMeter
from lipstream.gateway.sessions.timeline import Finished, Started
from lipstream.runtime.telemetry import Telemetry

_FRAME_US = 40_000
_LOOK_AHEAD_US = 80_000


def _values(telemetry: Telemetry, name: str) -> dict[str, float]:
    """Values of a metric, by the last of its labels."""
    families = text_string_to_metric_families(telemetry.exposition().decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return {list(sample.labels.values())[-1]: sample.value for sample in samples}


def _pictures(meter: SessionMeter, first: int, last: int, after_us: int) -> None:
    for pts_us in range(first * _FRAME_US, last * _FRAME_US, _FRAME_US):
        meter.picture_sent(pts_us + _LOOK_AHEAD_US, pts_us, pts_us - _FRAME_US + after_us)


def test_the_first_picture_of_speech_is_timed() -> None:
    telemetry = Telemetry("gateway")
    meter = SessionMeter("s", telemetry)
    _pictures(meter, 1, 20, 0)
    meter.heard(1, 1_000_000, alone=True)
    meter.started([Started(1, 1_100_000)])
    _pictures(meter, 22, 26, 0)  # nothing of it is in these
    assert _values(telemetry, "lipstream_first_frame_seconds_count") == {}
    meter.picture_sent(1_100_001, 1_100_001 - _LOOK_AHEAD_US, 1_050_000)
    meter.picture_sent(1_200_000, 1_120_000, 1_090_000)
    assert _values(telemetry, "lipstream_first_frame_seconds_sum") == {"cold": 0.05}
    meter.heard(2, 3_000_000, alone=True)
    meter.heard(2, 3_010_000, alone=False)
    meter.started([Started(2, 3_000_000)])
    meter.picture_sent(3_100_000, 3_020_000, 3_030_000)
    assert _values(telemetry, "lipstream_first_frame_seconds_sum") == {"cold": 0.05, "warm": 0.03}
    assert _values(telemetry, "lipstream_av_offset_seconds_count") == {"gateway": 26}


def test_what_is_interrupted_is_not_timed() -> None:
    telemetry = Telemetry("gateway")
    meter = SessionMeter("s", telemetry)
    meter.heard(1, 0, alone=True)
    meter.started([Started(1, 0)])
    meter.finished(Finished(1, 0, True))
    meter.picture_sent(100_000, 20_000, 30_000)
    meter.late(0)
    assert _values(telemetry, "lipstream_first_frame_seconds_count") == {}
    assert _values(telemetry, "lipstream_late_frames_total") == {"gateway": 0}
    meter.late(2)
    assert _values(telemetry, "lipstream_late_frames_total") == {"gateway": 2}


def test_delays_of_playback_are_counted() -> None:
    telemetry = Telemetry("gateway")
    meter = SessionMeter("s", telemetry)
    for total_us in (0, 80_000, 80_000, 200_000):
        meter.delayed(total_us)
    delayed_s = _values(telemetry, "lipstream_live_delayed_seconds_total")["gateway"]
    assert delayed_s == pytest.approx(0.2)
