"""The avatar bundle: one zip with a versioned manifest, the model, the plate and a preview.

manifest.json   who, from what, with whose leave, how good; checksums of the rest
model.npz       the arrays of `AvatarModel`
plate.png       background and torso
preview.png     the avatar at rest
"""

from lipstream.face.bundle.archive import MAX_BUNDLE_BYTES
from lipstream.face.bundle.bundle import (
    AvatarBundle,
    load,
    new_bundle,
    read_manifest,
    read_preview,
    save,
)
from lipstream.face.bundle.manifest import VERSION, Consent, Manifest, Note, RigInfo, Source

__all__ = [
    "MAX_BUNDLE_BYTES",
    "VERSION",
    "AvatarBundle",
    "Consent",
    "Manifest",
    "Note",
    "RigInfo",
    "Source",
    "load",
    "new_bundle",
    "read_manifest",
    "read_preview",
    "save",
]
