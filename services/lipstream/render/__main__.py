"""`python -m lipstream.render` runs the render stage."""

from lipstream.render.service import build
from lipstream.runtime.stage_main import run_stage

run_stage("render", build)
