"""How long an avatar takes to fit, how its mouth does as told, and what a video gives over a photo.

`python -m loadtests.fit [--json FILE] [--videos FOLDER] [--portraits FOLDER]`

Of every portrait there are, in the JSON object's `portraits`, face PSNR, and how far gap and width
of the mouth seen in six visemes are from what the rig was told, in mm.

A video of ten seconds is timed: the first of the folder, played forwards and backwards. Gains are
of the videos as they are, in frames held out of their fits, beside the avatar of the one neutral
frame driven by the same motion.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from lipstream.avatar.fit import FitResult, fit_photo
from lipstream.avatar.photo import load_photo
from lipstream.avatar.quality.viseme_check import REST
from lipstream.avatar.video.fit import fit_video
from lipstream.avatar.video.footage import frames, survey
from lipstream.errors import BadInput
from lipstream.render import warm_up
from loadtests.avatars import hopper_photo
from loadtests.manifest import Figure, Manifest, Value, peak_rss_mb

_SHARED = Path(__file__).parents[2] / "shared/data"
_LENGTH_S = 10
_FPS = 25
_ENDINGS = frozenset({".mp4", ".mpg", ".mov", ".webm", ".mkv"})
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
_FAR_MM = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.fit", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument(
        "--videos",
        type=Path,
        default=_SHARED / "talking-video/grid",
        help="folder of videos of one person each",
    )
    parser.add_argument("--most", type=int, default=4, help="videos whose gain is measured")
    parser.add_argument(
        "--portraits",
        type=Path,
        default=_SHARED / "portraits",
        help="folder of portraits, beside the one that the time is taken of",
    )
    arguments = parser.parse_args()
    videos = sorted(p for p in arguments.videos.glob("*") if p.suffix in _ENDINGS)[: arguments.most]
    portraits = sorted(p for p in arguments.portraits.rglob("*") if p.suffix in _PICTURES)
    warm_up(fitting=True)
    started = time.perf_counter()
    fitted = fit_photo(load_photo(hopper_photo()))
    figures = [Figure("photo_s", time.perf_counter() - started, goal="<= 10")]
    seen = {hopper_photo().stem: _checked(fitted)}
    refused = {}
    for portrait in portraits:
        try:
            seen[portrait.stem] = _checked(fit_photo(load_photo(portrait)))
        except BadInput as error:
            refused[portrait.stem] = error.message
    figures += [*_of_portraits(seen), Figure("portraits_refused", len(refused), goal="0")]
    figures += _of_videos(videos)
    settings: dict[str, Value] = {
        "photo": hopper_photo().name,
        "videos": ", ".join(video.name for video in videos) or "none found",
        "video_length_s": _LENGTH_S,
        "cores": os.cpu_count(),
    }
    Manifest("fit", settings).publish(figures, arguments.json, portraits=seen, refused=refused)


def _checked(fitted: FitResult) -> dict[str, float]:
    """Of one portrait, by figure."""
    report = fitted.report
    return {"face_psnr_db": round(report.face_psnr_db, 2)} | {
        f"viseme_{name.lower()}_{measure}_off_mm": round(abs(seen - told), 2)
        for name, mouth in report.visemes.mouths.items()
        if name != REST
        for measure, seen, told in (
            ("gap", mouth.gap_detected_mm, mouth.gap_commanded_mm),
            ("width", mouth.width_detected_mm, mouth.width_commanded_mm),
        )
    }


def _of_portraits(seen: Mapping[str, Mapping[str, float]]) -> list[Figure]:
    off = [mm for own in seen.values() for name, mm in own.items() if name.endswith("_off_mm")]
    least = min(own["face_psnr_db"] for own in seen.values())
    return [
        Figure("portraits_seen", len(seen)),
        Figure("portrait_psnr_db_least", least, goal=">= 34"),
        Figure("viseme_worst_mm", max(off), goal="<= 3"),
        Figure("visemes_off", f"{sum(mm > _FAR_MM for mm in off)} of {len(off)}", goal="none"),
    ]


def _of_videos(videos: Sequence[Path]) -> list[Figure]:
    video_s = None
    qualities = [fit_video(video).quality for video in videos]
    if videos:
        with tempfile.TemporaryDirectory() as folder:
            longer = _there_and_back(videos[0], Path(folder) / "video.mp4")
            started = time.perf_counter()
            fit_video(longer)
            video_s = time.perf_counter() - started

    def mean(name: str) -> float | None:
        return float(np.mean([quality[name] for quality in qualities])) if qualities else None

    least = min((quality["picture_gain_db"] for quality in qualities), default=None)
    return [
        Figure("video_s", video_s, goal="<= 300"),
        Figure("video_gain_db", mean("picture_gain_db"), goal=">= 3"),
        Figure("video_gain_db_least", least),
        Figure("video_face_gain_db", mean("face_gain_db")),
        *(
            Figure(f"{whose}{name}", mean(f"{whose}{name}"))
            for name in ("picture_psnr_db", "face_psnr_db", "ssim", "landmarks_mm", "lips_mm")
            for whose in ("", "photo_")
        ),
        Figure("peak_rss_mb", peak_rss_mb()),
    ]


def _there_and_back(video: Path, path: Path) -> Path:
    footage = survey(video)
    pictures = list(frames(footage, np.arange(len(footage.times_s))))
    round_trip = [*pictures, *pictures[-2:0:-1]]
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=_FPS, options={"crf": "12"})
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for k in range(_LENGTH_S * _FPS):
            picture = round_trip[k % len(round_trip)]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, _FPS)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


if __name__ == "__main__":
    main()
