from __future__ import annotations

import pytest

from lipstream.gateway.sessions.under_way import UnderWay


def _drawn(under_way: UnderWay, count: int, takes_s: float) -> None:
    for number in range(count):
        under_way.begin(1, number, 10.0)
        under_way.end(1, number, 10.0 + takes_s)


def test_two_pictures_at_once_and_one_where_they_take_long() -> None:
    under_way = UnderWay()
    room = []
    for takes_s in (0.02, 0.15, 0.02):
        _drawn(under_way, 20, takes_s)
        assert under_way.takes_us == pytest.approx(1e6 * takes_s, rel=0.1)
        under_way.begin(1, 100, 10.0)
        room.append(under_way.has_room)
        under_way.begin(1, 101, 10.0)
        assert not under_way.has_room
        under_way.forget()
        assert len(under_way) == 0
    assert room == [True, False, True]


def test_a_picture_of_a_stage_that_stood_still_is_soon_forgotten() -> None:
    under_way = UnderWay()
    _drawn(under_way, 20, 0.02)
    _drawn(under_way, 1, 30.0)
    assert under_way.has_room
    assert under_way.takes_us < 80_000


def test_pictures_that_nobody_waits_for_do_not_count() -> None:
    under_way = UnderWay()
    under_way.begin(1, 0, 10.0)
    under_way.forget()
    under_way.begin(2, 0, 10.0)
    under_way.end(1, 0, 11.0)
    assert (len(under_way), under_way.takes_us) == (1, 0)
