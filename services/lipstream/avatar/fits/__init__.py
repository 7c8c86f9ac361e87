"""Fits apart from the avatar service: as a bounded subprocess, or as a Job on a cluster.

The service keeps the job's message, and so its signs of life, tries, deadline and cancellation; the
fit's own process, `python -m lipstream.avatar.fits JOB`, does the work and reports by Redis. It is
the same program in both cases, and needs nothing but Redis and the object store.
"""

from lipstream.avatar.fits.handler import fit_handler

__all__ = ["fit_handler"]
