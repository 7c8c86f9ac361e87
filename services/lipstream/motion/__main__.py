"""`python -m lipstream.motion` runs the motion stage."""

from lipstream.motion.service import build
from lipstream.runtime.stage_main import run_stage

run_stage("motion", build)
