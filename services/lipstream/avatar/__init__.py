"""From a photo to an avatar: landmarks, rig, painted Gaussians, bundle.

Nothing is imported here: a service that leaves fits to other processes, and the process that only
decodes a photo, need nothing of what a fit does.
"""

__all__: list[str] = []
