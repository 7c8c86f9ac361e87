"""What a rig commands and what is seen of it: the mouth of avatars, viseme by viseme, in mm.

python -m lipstream.evaluation.viseme_table PHOTO...
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lipstream.avatar.fit import fit_photo
from lipstream.avatar.photo import load_photo
from lipstream.avatar.quality import MOUTHS, REST, MouthCheck
from lipstream.errors import BadInput

__all__: list[str] = []

_CHECKED = tuple(name for name in MOUTHS if name != REST)


def _cell(mouth: MouthCheck | None) -> str:
    if mouth is None:
        return "not seen"
    return (
        f"{mouth.gap_commanded_mm:.1f} → {mouth.gap_detected_mm:.1f}, "
        f"{mouth.width_commanded_mm:.1f} → {mouth.width_detected_mm:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, nargs="+")
    print("| photo | PSNR, dB | " + " | ".join(_CHECKED) + " |")
    print("|---" * (2 + len(_CHECKED)) + "|")
    for path in parser.parse_args().photos:
        try:
            report = fit_photo(load_photo(path)).report
        except BadInput as refusal:
            print(f"| {path.stem} | refused: {refusal} |", flush=True)
            continue
        cells = [_cell(report.visemes.mouths.get(name)) for name in _CHECKED]
        row = (path.stem, f"{report.face_psnr_db:.1f}", *cells)
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
