"""Tables are for people and for pipes: nothing that is to be copied is cut short."""

from __future__ import annotations

import pytest
from rich.table import Table

from lipstream.cli.console import show_table


def test_rows_are_whole_lines_however_narrow_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    table = Table("job", "status", "created", box=None)
    ids = ["50dd48c6135b451bbe465bcf5858949b", "453351ff8e2f404698bab50576f73058"]
    for job_id in ids:
        table.add_row(job_id, "succeeded", "2026-11-30 09:45:02Z")
    show_table(table)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert [line.split()[0] for line in lines[1:]] == ids
