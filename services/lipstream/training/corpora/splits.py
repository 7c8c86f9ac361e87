"""Who trains and who judges: the published splits of VOCASET and BIWI, and one for the others."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from lipstream.training.corpora.motion_clip import ClipInfo, MotionCorpus

__all__ = ["Split", "split_clips"]

Split = Literal["train", "dev", "test"]

# VOCA (Cudeiro et al., 2019), as FaceFormer and all after it use it: sentences 1-40 of eight
# subjects, 21-40 of two, 21-40 of two.
_VOCASET: dict[Split, tuple[str, ...]] = {
    "train": ("170728_03272", "170904_00128", "170725_00137", "170915_00223", "170811_03274",
              "170913_03279", "170904_03276", "170912_03278"),
    "dev": ("170811_03275", "170908_03277"),
    "test": ("170809_00138", "170731_00024"),
}  # fmt: skip
# BIWI: six subjects speak sentences 1-32, 33-36 and 37-40; the other eight are test B.
_BIWI_TRAIN = ("F2", "F3", "F4", "M3", "M4", "M5")
_PART = 0.1
_FEW_SUBJECTS = 5


def split_clips(corpus: MotionCorpus, *, test_b: bool = False) -> dict[Split, list[ClipInfo]]:
    """Clips that train, develop and test, in order; a published split may leave some out.

    A corpus without a published split is divided by subject: about a tenth of the subjects develop
    and a tenth test, chosen by their names alone. Fewer than five subjects are divided by clip.

    Args:
        test_b: BIWI is tested on the sentences 37-40 of unseen speakers (test B), not of those in
            training (test A).
    """
    parts: dict[Split, list[ClipInfo]] = {"train": [], "dev": [], "test": []}
    by_clip = len(corpus.subjects) < _FEW_SUBJECTS
    held_out = _held_out([clip.name if by_clip else clip.subject for clip in corpus.clips])
    for clip in corpus.clips:
        match corpus.layout:
            case "VOCASET":
                part = _vocaset(clip)
            case "BIWI":
                part = _biwi(clip, test_b)
            case _:
                part = held_out.get(clip.name if by_clip else clip.subject, "train")
        if part is not None:
            parts[part].append(clip)
    return parts


def _held_out(keys: list[str]) -> dict[str, Split]:
    """Those who do not train; the order by hash has nothing to do with how they are called."""
    ranked = sorted(set(keys), key=lambda key: hashlib.sha256(key.encode()).digest())
    count = max(round(_PART * len(ranked)), 1) if len(ranked) > 2 else 0
    return {
        **dict.fromkeys(ranked[:count], "test"),
        **dict.fromkeys(ranked[count : 2 * count], "dev"),
    }


def _vocaset(clip: ClipInfo) -> Split | None:
    sentence = _number(clip.name)
    for split, subjects in _VOCASET.items():
        if any(subject in clip.subject for subject in subjects):
            first = 1 if split == "train" else 21
            return split if first <= sentence <= 40 else None
    return None


def _biwi(clip: ClipInfo, test_b: bool) -> Split | None:
    sentence = _number(clip.name)
    if clip.subject not in _BIWI_TRAIN:
        return "test" if test_b and 37 <= sentence <= 40 else None
    if sentence <= 32:
        return "train"
    if sentence <= 36:
        return "dev"
    return "test" if sentence <= 40 and not test_b else None


def _number(name: str) -> int:
    match = re.search(r"(\d+)$", name)
    return int(match[1]) if match else 0
