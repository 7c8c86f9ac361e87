"""`python -m lipstream.audio` runs the audio stage."""

from lipstream.audio.service import build
from lipstream.runtime.stage_main import run_stage

run_stage("audio", build)
