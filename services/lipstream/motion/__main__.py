"""`python -m lipstream.motion` runs the motion stage."""

import gc

gc.disable()  # what a start makes is no garbage; `keep_what_stands` lets it be looked for again

from lipstream.motion.service import build  # noqa: E402
from lipstream.runtime.stage_main import run_stage  # noqa: E402

run_stage("motion", build)
