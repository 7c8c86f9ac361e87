"""What tests of every kind share."""

from __future__ import annotations

import gc
import os
import pickle
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# Hundreds of processes start in a run, each of which would compile the same sources again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# A worker for each core computes already; more threads would wait for each other, spinning.
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

# Hardly anything that a collection imports is garbage, yet looking for it takes a quarter of it.
gc.disable()

from tests.once import shared_folder  # noqa: E402
from tests.portrait import AVATAR, CONSENT, hopper_photo  # noqa: E402

if TYPE_CHECKING:
    from lipstream.avatar.fit import FitResult
    from tests.scheduling import StackScheduling


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> StackScheduling | None:
    if config.getoption("dist") != "loadfile":
        return None
    from tests.scheduling import StackScheduling

    return StackScheduling(config, log)


@pytest.fixture(scope="session")
def avatar_store(
    tmp_path_factory: pytest.TempPathFactory, fitted: Callable[[Path], FitResult]
) -> Path:
    """An object store's folder that holds one finished avatar; whoever writes takes a copy."""
    from lipstream.avatar import create
    from lipstream.runtime.avatar_library import AvatarLibrary
    from lipstream.runtime.object_store import open_store

    with shared_folder(tmp_path_factory, "avatars") as folder:
        library = AvatarLibrary(open_store(str(folder)))
        if not library.entries():
            fit = fitted(hopper_photo())
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(create, "fit_photo", lambda photo, progress: fit)
                create.create_avatar(library, AVATAR, hopper_photo().read_bytes(), CONSENT)
    return folder


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], FitResult]:
    """The avatar of a photo, fitted once however many tests look at it."""
    from lipstream.avatar.fit import FitResult, fit_photo
    from lipstream.avatar.photo import load_photo

    @cache
    def fit(photo: Path) -> FitResult:
        with shared_folder(tmp_path_factory, f"fit-{photo.stem}") as folder:
            kept = folder / "fit.pickle"
            if not kept.exists():
                kept.write_bytes(pickle.dumps(fit_photo(load_photo(photo))))
            found = pickle.loads(kept.read_bytes())
        assert isinstance(found, FitResult)
        return found

    return fit
