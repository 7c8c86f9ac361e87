"""Generates services/lipstream/v1 from the .proto files beside this script.

With --check it changes nothing, and exits with 1 when what is committed is not what it would write.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
TARGET = ROOT.parent / "services" / "lipstream" / "v1"
PACKAGE = '"""The stages\' gRPC interface, generated from protos/ by `make protos`."""\n'


def generate(folder: Path) -> Path:
    """Write the stubs below `folder`, as `lipstream/v1`; return where they are."""
    # protoc looks for the type stubs' plug-ins on PATH.
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    protos = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("lipstream/v1/*.proto"))
    outputs = [f"--{kind}_out={folder}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    done = subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={ROOT}", *outputs, *protos],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stderr)
    made = folder / "lipstream" / "v1"
    (made / "__init__.py").write_text(PACKAGE)
    return made


def differences(made: Path) -> list[str]:
    """Names of files that are missing, stale or superfluous in TARGET."""
    names = {path.name for path in made.iterdir()}
    kept = {path.name for path in TARGET.glob("*.py*")} if TARGET.is_dir() else set()
    _, mismatched, errors = filecmp.cmpfiles(made, TARGET, sorted(names & kept), shallow=False)
    return sorted({*(names ^ kept), *mismatched, *errors})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        made = generate(Path(folder))
        stale = differences(made)
        if check and stale:
            sys.exit(f"services/lipstream/v1 is stale ({', '.join(stale)}): run `make protos`.")
        if not check and stale:
            shutil.rmtree(TARGET, ignore_errors=True)
            shutil.copytree(made, TARGET)


if __name__ == "__main__":
    main()
