"""Inside the mouth: cavity, teeth, tongue.

Nothing of it is taken from the photo but the tint of teeth that show: the colours here are for a
mouth wide open, and the colour shape `mouthShade` darkens them when it is not.
"""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.binding import Binding, bind_to_area
from lipstream.avatar.filling import sample
from lipstream.avatar.layer import Layer
from lipstream.avatar.layers.scene import PhotoScene
from lipstream.avatar.polygon import polygon_mask
from lipstream.face.parts import LOWER_TEETH, UPPER_TEETH, Arch, smoothstep
from lipstream.face.rig import INNER_DEPTH_BIAS_MM
from lipstream.face.shape_names import MOUTH_SHADE

__all__ = ["INNER_PARTS", "mouth_layers"]

Array = NDArray[np.float64]

_LATITUDE = {"cavity": 0.35, UPPER_TEETH.name: 0.22, LOWER_TEETH.name: 0.22, "tongue": 0.35}
"""How far a photo of parted lips may move a colour."""
_FOR_THE_PHOTO = frozenset({"cavity", "tongue"})
"""What lies there in the photo stays there: a tongue that moved, a shadow."""
INNER_PARTS = frozenset(_LATITUDE)
"""Names of the layers inside the mouth."""
_LIT_PARTING_MM = 2.5
"""A photo whose lips are further apart shows the mouth's inside: its colours are solved too."""
_FEWEST_PIXELS = 40
_DEEP = np.array([0.12, 0.035, 0.035])
_WET = np.array([0.34, 0.12, 0.11])
_GUM = np.array([0.62, 0.33, 0.32])
_TONGUE = np.array([0.80, 0.45, 0.43])
_ENAMEL = np.array([0.90, 0.85, 0.77])
_SHADE = 0.30
"""Of a lip's colour: what lies in a mouth that is hardly open."""
_SKIN_CHROMA = np.array([1.20, 0.97, 0.83])
"""Typical colour of skin in white light, over its mean."""
_SKIN_POINTS = [50, 280, 205, 425, 9]


def mouth_layers(scene: PhotoScene) -> list[Layer]:
    light = _light(scene)
    enamel = _enamel(scene, light)
    return [
        _cavity(scene, light),
        _teeth(scene, UPPER_TEETH, enamel, light),
        _teeth(scene, LOWER_TEETH, enamel, light),
        _tongue(scene, light),
    ]


def _cavity(scene: PhotoScene, light: Array) -> Layer:
    binding = bind_to_area(scene.stage, "sock", 2.0, 0.9)
    depth = scene.stage.coordinate("sock", "depth", binding.triangles, binding.barycentric)
    lip = np.exp(-depth / 0.06)[:, None]
    wet = np.clip(1 - depth / 0.5, 0, 1)[:, None]
    colors = lip * scene.lip_color * 0.82 + (1 - lip) * (wet * _WET + (1 - wet) * _DEEP) * light
    return _inside(scene, "cavity", binding, colors)


def _teeth(scene: PhotoScene, arch: Arch, enamel: Array, light: Array) -> Layer:
    binding = bind_to_area(scene.stage, arch.name, 0.9, 0.72)
    arc = scene.stage.coordinate(arch.name, "arc", binding.triangles, binding.barycentric)
    height = scene.stage.coordinate(arch.name, "height", binding.triangles, binding.barycentric)
    to_gap = np.abs(np.abs(arc)[:, None] - arch.boundaries).min(1)
    between = 0.18 * np.exp(-((to_gap / 0.42) ** 2)) * (height < 1)
    # Lips and cheeks shade the back teeth and the gums; the lower arch lies in shadow.
    around = np.interp(np.abs(arc), [0, 8, 16, 24, 34], [1, 0.96, 0.80, 0.5, 0.25])
    stops = [0, 0.15, 0.6, 1, 1.4]
    levels = [0.90, 0.98, 0.97, 0.84, 0.6] if arch.upper else [0.82, 0.80, 0.70, 0.55, 0.4]
    shine = around * np.interp(height, stops, levels)
    colors = enamel * (shine * (1 - between))[:, None]
    scallop = 0.05 * np.cos(np.clip(to_gap / 3.5, 0, 1) * np.pi)
    gum = smoothstep(0.92, 1.06, height + scallop)[:, None]
    gum_light = around * (0.75 if arch.upper else 0.5)
    colors = colors * (1 - gum) + _GUM * light * gum_light[:, None] * gum
    return _inside(scene, arch.name, binding, colors)


def _tongue(scene: PhotoScene, light: Array) -> Layer:
    binding = bind_to_area(scene.stage, "tongue", 1.5, 0.85)
    across = scene.stage.coordinate("tongue", "across", binding.triangles, binding.barycentric)
    along = scene.stage.coordinate("tongue", "along", binding.triangles, binding.barycentric)
    shine = (1.15 - 0.75 * along) * (1 - 0.55 * across**2)
    shine = shine * (1 - 0.12 * np.exp(-((across / 0.15) ** 2)))
    # Under the tip it is dark, or the tongue would run into the lower lip.
    shine = shine * (0.65 + 0.35 * smoothstep(0.0, 0.08, along))
    colors = _TONGUE * light * shine[:, None]
    return _inside(scene, "tongue", binding, colors)


def _inside(scene: PhotoScene, name: str, binding: Binding, colors: Array) -> Layer:
    latitude = _LATITUDE[name] if scene.rig.face.lip_gap_mm > _LIT_PARTING_MM else 0.0
    return Layer(
        name=name,
        binding=binding,
        colors=colors,
        opacities=np.ones(len(binding)),
        latitude=np.full(len(binding), latitude),
        photo_only=np.full(len(binding), float(name in _FOR_THE_PHOTO)),
        depth_bias_mm=INNER_DEPTH_BIAS_MM,
        # A mouth that is hardly open is dark: everything turns to that of a shaded lip.
        tints={MOUTH_SHADE: _SHADE * scene.lip_color - colors},
    )


def _light(scene: PhotoScene) -> Array:  # [3]
    """What the photo's light makes of white, judged by the skin."""
    skin = np.median(sample(scene.photo, scene.stage.photo_px[_SKIN_POINTS]), axis=0)
    brightness = float(np.clip(0.62 + 0.38 * skin.mean() / 0.7, 0.7, 1))
    # The light that makes skin look warmer than usual warms teeth too, to the eye by half.
    warmth = np.sqrt(skin / skin.mean() / _SKIN_CHROMA)
    return np.asarray(brightness * warmth / warmth.max())


def _enamel(scene: PhotoScene, light: Array) -> Array:  # [3]
    """Colour of lit teeth: the photo's where they show, else white in the photo's light."""
    white = _ENAMEL * light
    inside = polygon_mask(scene.mouth_px)
    shown = scene.photo[ndi.binary_erosion(inside, iterations=2)]
    if len(shown) > _FEWEST_PIXELS and scene.rig.face.lip_gap_mm > _LIT_PARTING_MM:
        brightness = shown.mean(1)
        mean = shown[brightness > np.percentile(brightness, 60)].mean(0)
        # Teeth are grey or yellow; a tongue and gums are as red as the lips.
        red, grey, seen = (color / color.mean() for color in (scene.lip_color, white, mean))
        if (seen - red) @ (grey - red) > 0.5 * (grey - red) @ (grey - red):
            # They lie in the shade of the lips, more than in a mouth wide open.
            brighter = np.clip(0.75 * white.mean() / mean.mean(), 1.0, 1.3)
            return np.asarray((mean * brighter).clip(0, 1))
    return np.asarray(white.clip(0, 1))
