"""What is written is read back, and nothing else is taken for it."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipstream.errors import BadInput
from lipstream.pipeline import PIPELINES, JobKind
from lipstream.wire.fields import dump_json
from lipstream.wire.job import Job, JobStatus, Priority
from lipstream.wire.messages import JobEvent, StageMessage
from lipstream.wire.objects import avatar_prefix, job_object
from lipstream.wire.problem import Problem
from lipstream.wire.streams import checked_id, events_stream, job_key

ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
kinds = st.sampled_from(JobKind)
stages = kinds.flatmap(
    lambda kind: st.tuples(
        st.just(kind), st.sampled_from([stage.name for stage in PIPELINES[kind].stages])
    )
)
fractions = st.floats(0, 1)
times_ms = st.integers(0, 2**53)
figures = st.dictionaries(st.text(), st.floats(-1e9, 1e9))
problems = st.builds(Problem, st.text(), st.text(), st.text(), st.text(), figures)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.text(string.ascii_lowercase + "._", min_size=1, max_size=20)


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    kind, stage = draw(stages)
    return Job(
        id=draw(ids),
        kind=kind,
        params=draw(st.dictionaries(st.text(), json_values, max_size=4)),
        stage=stage,
        status=draw(st.sampled_from(JobStatus)),
        priority=draw(st.sampled_from(Priority)),
        deadline_ms=draw(times_ms),
        progress=draw(fractions),
        created_ms=draw(times_ms),
        updated_ms=draw(times_ms),
        error=draw(st.none() | problems),
        last_error=draw(st.none() | problems),
        outputs=draw(st.dictionaries(names, st.text(), max_size=3)),
        results=draw(st.dictionaries(names, json_values, max_size=3)),
        warnings=tuple(draw(st.lists(st.text(), max_size=3))),
        attempts=draw(st.dictionaries(names, st.integers(0, 99), max_size=3)),
    )


@given(jobs())
def test_jobs_come_back(job: Job) -> None:
    assert Job.decode(job.encode()) == job


@given(stages, ids, st.integers(1, 99))
def test_stage_messages_come_back(stage: tuple[JobKind, str], job_id: str, attempt: int) -> None:
    message = StageMessage(job_id, *stage, attempt)
    assert StageMessage.decode(message.encode()) == message


def test_what_earlier_releases_wrote_is_read() -> None:
    fields = Job.new(JobKind.VIDEO, {}, "job-1").encode()
    del fields["priority"], fields["deadline_ms"]
    assert Job.decode(fields).priority is Priority.INTERACTIVE
    message = StageMessage("job-1", JobKind.VIDEO, "audio").encode()
    del message["flow"]
    assert StageMessage.decode(message).flow == "interactive:default"


@given(stages, ids, st.sampled_from(JobStatus), fractions, times_ms, st.none() | problems)
def test_events_come_back(
    stage: tuple[JobKind, str],
    job_id: str,
    status: JobStatus,
    progress: float,
    at_ms: int,
    error: Problem | None,
) -> None:
    kind, name = stage
    event = JobEvent("1-0", job_id, kind, status, name, progress, at_ms, error)
    assert JobEvent.decode("1-0", event.encode()) == event


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=9)), st.booleans())
def test_anything_else_is_refused(fields: dict[str, str], versioned: bool) -> None:
    if versioned:
        fields["v"] = "1"
    for decode in (Job.decode, StageMessage.decode, lambda raw: JobEvent.decode("1-0", raw)):
        with pytest.raises(BadInput):
            decode(fields)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"v": "2"}, "has version 2; this program reads 1"),
        ({"v": "one"}, "'v' of the stage message is malformed"),
        ({"kind": "song"}, "'song' is no kind of job"),
        ({"stage": "avatar"}, "A job of kind video has no stage 'avatar'"),
        ({"attempt": "0"}, "counts its attempts from 1"),
        ({"job_id": "../x"}, "is no valid id"),
    ],
)
def test_what_is_wrong_with_a_message_is_said(change: dict[str, str], sentence: str) -> None:
    fields = StageMessage("job-1", JobKind.VIDEO, "audio").encode() | change
    with pytest.raises(BadInput, match=sentence):
        StageMessage.decode(fields)


@pytest.mark.parametrize(
    "change",
    [
        {"progress": "nan"},
        {"progress": "inf"},
        {"progress": "x"},
        {"params": "[1]"},
        {"params": "[" * 100_000},
        {"status": "asleep"},
        {"priority": "panic"},
        {"error": "{}"},
        {"error": '{"code":1,"title":"","detail":""}'},
        {"result:x": "{"},
        {"attempts:audio": "often"},
    ],
)
def test_malformed_fields_of_jobs_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        Job.decode(Job.new(JobKind.VIDEO, {}).encode() | change)


def test_new_jobs_wait_at_their_first_stage() -> None:
    video, avatar = Job.new(JobKind.VIDEO, {}), Job.new(JobKind.AVATAR, {}, job_id="grace")
    assert (video.stage, video.status, video.progress) == ("audio", JobStatus.QUEUED, 0.0)
    assert (avatar.id, avatar.stage) == ("grace", "avatar")
    assert video.id != Job.new(JobKind.VIDEO, {}).id


@pytest.mark.parametrize("name", ["", "A", "-a", "a/b", "..", "a" * 65, "a\n", "ä", "a:b", "a*"])
def test_ids_cannot_reach_other_keys(name: str) -> None:
    for use in (checked_id, job_key, events_stream, lambda i: job_object(i, "x")):
        with pytest.raises(BadInput) as caught:
            use(name)
        assert caught.value.code == "bad_id"
    with pytest.raises(BadInput) as caught:
        avatar_prefix(name)
    assert caught.value.code == "bad_name"


def test_names_of_avatars_leave_room_for_what_is_made_from_them() -> None:
    assert avatar_prefix("a" * 56) == "avatars/" + "a" * 56
    with pytest.raises(BadInput, match="1 to 56"):
        avatar_prefix("a" * 57)


@pytest.mark.parametrize("value", [float("nan"), object(), {1: {2}}])
def test_values_that_json_cannot_say_are_refused(value: object) -> None:
    with pytest.raises(BadInput, match="cannot be written as JSON"):
        dump_json(value)
