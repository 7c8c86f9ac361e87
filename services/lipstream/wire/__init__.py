"""What the services say to each other: names, message codecs, tensors.

`lipstream.wire.tensors` needs numpy and the generated stubs, so it is imported by its own name.
"""

from lipstream.wire.job import Job, JobStatus
from lipstream.wire.messages import JobEvent, StageMessage
from lipstream.wire.objects import avatar_prefix, job_object, job_prefix
from lipstream.wire.problem import Problem
from lipstream.wire.streams import checked_id

__all__ = [
    "Job",
    "JobEvent",
    "JobStatus",
    "Problem",
    "StageMessage",
    "avatar_prefix",
    "checked_id",
    "job_object",
    "job_prefix",
]
