"""Renders helm/examples into helm/rendered, so that a change of the chart shows what it does.

With --check it changes nothing, and exits with 1 when what is committed is not what it would write.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import helm_python
import yaml

__all__ = ["CHART", "EXAMPLES", "example_values", "render"]

ROOT = Path(__file__).resolve().parent
CHART = ROOT / "lipstream"
EXAMPLES = tuple(sorted(path.stem for path in (ROOT / "examples").glob("*.yaml")))
_FILES_OF_THEIR_OWN = ("alerts.yaml", "dashboards.yaml")
"""They repeat helm/lipstream/alerts and dashboards word for word."""
_BLANK = re.compile(r"[ \t]*\n(?:[ \t]*\n)+")


def example_values(name: str) -> dict[str, Any]:
    """The values of an example."""
    values: dict[str, Any] = yaml.safe_load((ROOT / "examples" / f"{name}.yaml").read_text())
    return values


def render(values: dict[str, Any], chart_folder: Path = CHART) -> dict[str, str]:
    """Manifests of a release named `lipstream`: YAML by the name of its template.

    Raises:
        helm_python.HelmError: the chart refuses the values, and says why.
    """
    with helm_python.Chart.load(chart_folder) as chart:
        chart.validate_schema(values)
        files = chart.render(values, name="lipstream", namespace="lipstream")
    return {
        Path(path).name: _BLANK.sub("\n", text.strip().removeprefix("---").strip())
        for path, text in sorted(files.items())
        if path.endswith(".yaml") and text.strip()
    }


def _example(name: str) -> str:
    return "".join(
        f"---\n# Source: {template}\n{text}\n"
        for template, text in render(example_values(name)).items()
        if template not in _FILES_OF_THEIR_OWN
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name in EXAMPLES:
        target = ROOT / "rendered" / f"{name}.yaml"
        text = _example(name)
        if check and (not target.is_file() or target.read_text() != text):
            stale.append(name)
        elif not check:
            target.write_text(text)
    if stale:
        print(f"Not as the chart renders it: {', '.join(stale)}. Run `make chart`.")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
