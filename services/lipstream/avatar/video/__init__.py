"""Avatars from a video: read, followed, and fitted over its frames.

Nothing is imported here: to see whether a file is a video takes nothing of what a fit does.
"""

__all__: list[str] = []
