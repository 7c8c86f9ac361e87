from __future__ import annotations

import math
from pathlib import Path

import pytest

from lipstream.errors import BadInput, Cancelled, Outage
from lipstream.pipeline import JobKind, stage_named
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.object_store import open_store
from lipstream.wire.job import Job


@pytest.fixture
def context(tmp_path: Path) -> JobContext:
    job = Job.new(JobKind.VIDEO, {"text": "hi"}, job_id="j1")
    store = open_store("memory://")
    return JobContext(job, stage_named("audio"), 2, store, scratch_dir=tmp_path / "scratch")


def test_objects_are_those_of_the_job(context: JobContext) -> None:
    context.store.put("speech.wav", b"x")
    assert context.shared.get("jobs/j1/speech.wav") == b"x"
    assert context.params["text"] == "hi"
    assert context.attempt == 2


def test_progress_never_falls_and_stays_within_bounds(context: JobContext) -> None:
    seen = []
    for fraction in (0.2, 0.1, 0.5, 7.0):
        context.progress(fraction)
        seen.append(context.fraction)
    assert seen == [0.2, 0.2, 0.5, 1.0]
    with pytest.raises(ValueError, match="finite"):
        context.progress(math.nan)


def test_a_handler_learns_why_it_must_stop(context: JobContext) -> None:
    context.check()
    assert not context.cancelled()
    context.stop("The job was cancelled.")
    context.stop("too late")
    assert context.cancelled()
    for ask in (context.check, lambda: context.progress(0.5)):
        with pytest.raises(Cancelled, match="The job was cancelled"):
            ask()


def test_results_and_warnings_are_kept(context: JobContext) -> None:
    context.result("duration_s", 1.5)
    context.warn("Several faces; the largest was taken.")
    assert context.results == {"duration_s": 1.5}
    assert context.warnings == ("Several faces; the largest was taken.",)
    with pytest.raises(BadInput):
        context.result("picture", object())
    with pytest.raises(BadInput):
        context.result("bad name", 1)


def test_scratch_is_deleted(context: JobContext) -> None:
    folder = context.scratch
    (folder / "file").write_bytes(b"x")
    assert context.scratch == folder
    context.close()
    assert not folder.exists()


def test_no_folder_for_temporary_files_is_an_outage_with_a_remedy(
    context: JobContext, tmp_path: Path
) -> None:
    (tmp_path / "scratch").write_text("A file where the folder would be.")
    with pytest.raises(Outage, match="LIPSTREAM_DATA_DIR") as away:
        _ = context.scratch
    assert away.value.code == "no_scratch"
