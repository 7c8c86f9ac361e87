"""`python -m lipstream.avatar.fits JOB` does the fit of one job and reports by Redis.

Exits with 0 when the avatar is made, 1 when it cannot be made or nobody waits for it any more, 75
when Redis does not answer, 78 when the settings are wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import resource
import signal
import sys

from lipstream.avatar.fits.launcher import EXIT_SPEECHLESS
from lipstream.avatar.fits.run import run_fit
from lipstream.errors import LipstreamError, Outage
from lipstream.runtime.logs import bound, configure_logs
from lipstream.runtime.settings import Settings, load_settings

_EXIT_CONFIG = 78


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lipstream.avatar.fits", description=__doc__)
    parser.add_argument("job", help="id of a job of kind avatar")
    parser.add_argument("--memory-mb", type=int, help="memory that it may take")
    arguments = parser.parse_args()
    if arguments.memory_mb is not None:
        limit = arguments.memory_mb * 1_000_000
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        settings = load_settings()
    except LipstreamError as error:
        print(f"lipstream.avatar.fits: {error}", file=sys.stderr)
        return _EXIT_CONFIG
    configure_logs("fit", settings.log_level)
    with bound(stage="avatar", job_id=arguments.job):
        try:
            return 0 if asyncio.run(_run(settings, arguments.job)) else 1
        except LipstreamError as error:
            logging.getLogger(__name__).error("%s", error)
            return EXIT_SPEECHLESS if isinstance(error, Outage) else 1


async def _run(settings: Settings, job_id: str) -> bool:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return await run_fit(settings, job_id, stopping)


code = main()
logging.shutdown()
sys.stdout.flush()
# Not sys.exit: threads that compute for nobody any more must not hold the process.
os._exit(code)
