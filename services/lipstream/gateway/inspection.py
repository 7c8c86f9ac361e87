"""A look at an upload before a job is made of it, by the stages that understand it.

The gateway knows nothing of audio or pictures. It asks the stages over gRPC, so that a caller
hears at once, and with a 4xx, that a file cannot be used. A stage that is away does not stop the
caller: the job is taken, and its worker will look.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import grpc

from lipstream.errors import BadInput, TooLarge
from lipstream.runtime.settings import Settings
from lipstream.v1 import audio_pb2, audio_pb2_grpc, avatar_pb2, avatar_pb2_grpc

__all__ = ["Inspector"]

_DEADLINE_S = 30.0
_AWAY = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)
logger = logging.getLogger(__name__)
