"""The face: conventions, rig, expressions, the avatar model and its bundle.

Nothing is imported here: stages that only pass motion on need neither scipy nor Pillow.
"""

__all__: list[str] = []
