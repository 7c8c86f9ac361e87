"""`python -m lipstream.avatar` runs the avatar stage."""

from lipstream.avatar.service import build
from lipstream.runtime.stage_main import run_stage

run_stage("avatar", build)
