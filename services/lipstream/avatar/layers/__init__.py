"""What is painted, layer by layer, from front to back."""

from lipstream.avatar.layers.eyes import eye_layer
from lipstream.avatar.layers.hair import hair_layer
from lipstream.avatar.layers.jaw import jaw_layer
from lipstream.avatar.layers.lids import LID_SHARE
from lipstream.avatar.layers.lip_edge import lip_edge_layer
from lipstream.avatar.layers.lips import lip_layer
from lipstream.avatar.layers.mouth import INNER_PARTS, mouth_layers
from lipstream.avatar.layers.scene import PhotoScene
from lipstream.avatar.layers.skin import backing_layer, rim_layer, skin_layer

__all__ = [
    "INNER_PARTS",
    "LID_SHARE",
    "PhotoScene",
    "backing_layer",
    "eye_layer",
    "hair_layer",
    "jaw_layer",
    "lip_edge_layer",
    "lip_layer",
    "mouth_layers",
    "rim_layer",
    "skin_layer",
]
