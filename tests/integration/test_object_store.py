"""One behaviour over every kind of store: a folder, memory, and a real S3-speaking server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lipstream.errors import BadInput, LipstreamError, NotFound, TooLarge, Unavailable
from lipstream.runtime.object_store import ObjectStore, open_store
from tests.integration.redis_process import free_port


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """A bucket on moto's server, with the environment that points to it."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        for _ in range(400):
            try:
                urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=1)
                break
            except OSError:
                time.sleep(0.05)
        bucket = urllib.request.Request(f"{endpoint}/bucket", method="PUT")
        urllib.request.urlopen(bucket)
        environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            yield "s3://bucket/some/prefix"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "s3":
        return open_store(f"{request.getfixturevalue('s3_url')}/{tmp_path.name}")
    return open_store(str(tmp_path / "objects") if request.param == "folder" else "memory://")


async def streamed(store: ObjectStore, key: str, *span: int) -> bytes:
    return b"".join([chunk async for chunk in store.stream(key, *span)])


def test_objects_come_back_as_they_went(store: ObjectStore, tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    store.put("a/b.bin", data)
    assert store.get("a/b.bin") == data
    assert store.exists("a/b.bin")
    info = store.stat("a/b.bin")
    assert (info.key, info.size_bytes) == ("a/b.bin", len(data))
    assert info.modified_ms > 1_600_000_000_000
    store.put("a/b.bin", memoryview(b"new"))
    assert store.get("a/b.bin") == b"new"

    source = tmp_path / "source"
    source.write_bytes(data)
    store.put_file("a/c", source)
    store.get_file("a/c", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == data


def test_a_large_file_goes_in_parts(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    block = os.urandom(1 << 20)
    source.write_bytes(block * 12)
    store.put_file("large", source)
    assert store.stat("large").size_bytes == 12 << 20
    assert asyncio.run(streamed(store, "large", (11 << 20) - 5, (11 << 20) + 5)) == (
        block[-5:] + block[:5]
    )


def test_ranges(store: ObjectStore) -> None:
    store.put("x", b"0123456789")
    assert asyncio.run(streamed(store, "x")) == b"0123456789"
    assert asyncio.run(streamed(store, "x", 3)) == b"3456789"
    assert asyncio.run(streamed(store, "x", 0, 4)) == b"0123"
    assert asyncio.run(streamed(store, "x", 2, 999)) == b"23456789"
    for span in ((4, 4), (-1, 3), (10, 12)):
        with pytest.raises(BadInput) as caught:
            asyncio.run(streamed(store, "x", *span))
        assert caught.value.code == "bad_range"
    with pytest.raises(NotFound):
        asyncio.run(streamed(store, "y"))


def test_listing_and_deleting_stay_under_the_prefix(store: ObjectStore) -> None:
    for key in ("jobs/1/a", "jobs/1/sub/b", "jobs/10/c", "avatars/x/d"):
        store.put(key, b"x")
    assert sorted(info.key for info in store.list()) == [
        "avatars/x/d",
        "jobs/1/a",
        "jobs/1/sub/b",
        "jobs/10/c",
    ]
    one = store.under("jobs/1")
    assert sorted(info.key for info in one.list()) == ["a", "sub/b"]
    assert [info.key for info in one.list("sub")] == ["sub/b"]
    assert one.get("sub/b") == b"x"
    assert store.delete_all("jobs/1") == 2
    assert sorted(info.key for info in store.list("jobs")) == ["jobs/10/c"]
    store.delete("jobs/10/c")
    store.delete("jobs/10/c")
    assert list(store.list("jobs")) == []


def test_what_is_missing_or_too_large_is_said(store: ObjectStore, tmp_path: Path) -> None:
    assert not store.exists("none")
    for ask in (
        lambda: store.get("none"),
        lambda: store.stat("none"),
        lambda: store.get_file("none", tmp_path / "out"),
        lambda: store.put_file("none", tmp_path / "none"),
    ):
        with pytest.raises(NotFound, match="none"):
            ask()
    assert not (tmp_path / "out").exists()
    store.put("big", b"x" * 100)
    with pytest.raises(TooLarge, match="100 bytes; the limit is 99"):
        store.get("big", max_bytes=99)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "../x",
        "a/../b",
        "a//b",
        "/etc/passwd",
        "a/",
        ".hidden",
        "a\\b",
        "a b",
        "ü",
        "x\0",
        "x" * 600,
        "a/%2e%2e/b",
        "~",
    ],
)
def test_keys_cannot_climb_or_hide(store: ObjectStore, key: str) -> None:
    scope = store.under("jobs/1")
    for ask in (
        lambda: scope.put(key, b"x"),
        lambda: scope.get(key),
        lambda: scope.stat(key),
        lambda: scope.delete(key),
        lambda: scope.under(key),
        lambda: asyncio.run(streamed(scope, key)),
    ):
        with pytest.raises(BadInput) as caught:
            ask()
        assert caught.value.code == "bad_key"


def test_a_full_disk_is_named_and_leaves_no_part(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk; the system refuses the write as well."""
    code = f"""
import resource
from lipstream.errors import Unavailable
from lipstream.runtime.object_store import open_store
store = open_store({str(tmp_path)!r})
store.put("a/kept", b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
for data in (b"x" * 3_000_000,):
    try:
        store.put("a/kept", data)
    except Unavailable as error:
        print(error.code, error.message)
assert store.get("a/kept") == b"old"
assert [info.key for info in store.list()] == ["a/kept"]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("disk_full The object store cannot serve 'a/kept'")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_without_space_is_named(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.mktemp("source") / "large"
    source.write_bytes(b"x" * 9_000_000)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(tmp_path)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this container may not mount")
    try:
        store = open_store(str(tmp_path))
        store.put("small", b"x")
        with pytest.raises(Unavailable, match=r"The disk is full\. Free some space\.") as caught:
            store.put("large", b"x" * 1_000_000)
        assert caught.value.code == "disk_full"
        with pytest.raises(Unavailable) as caught:
            store.put_file("large", source)
        assert caught.value.code == "disk_full"
        assert store.get("small") == b"x"
        big = open_store("memory://")
        big.put("x", b"x" * 1_000_000)
        with pytest.raises(Unavailable) as caught:
            big.get_file("x", tmp_path / "target")
        assert caught.value.code == "disk_full"
        assert not list(tmp_path.glob("*target*"))
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="cannot be made"):
        open_store(str(tmp_path / "file" / "objects"))


@pytest.mark.parametrize("url", ["ftp://host/x", "http://host/x", "file://", "s3://"])
def test_unknown_kinds_of_store_are_refused(url: str) -> None:
    with pytest.raises(BadInput):
        open_store(url)


def test_a_cloud_that_does_not_answer_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, s3_url: str
) -> None:
    store = open_store(s3_url.replace("bucket", "no-such-bucket"))
    with pytest.raises(LipstreamError) as caught:
        store.put("x", b"x")
    assert caught.value.http_status in (404, 503)


def test_writing_is_atomic_for_readers(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    sizes = set()

    async def race() -> None:
        async def write(letter: bytes) -> None:
            for _ in range(15):
                await asyncio.to_thread(store.put, "x", letter * 400_000)

        async def read() -> None:
            for _ in range(60):
                data = await asyncio.to_thread(store.get, "x")
                sizes.add((len(data), len(set(data))))

        await asyncio.gather(write(b"a"), write(b"b"), read())

    store.put("x", b"c" * 400_000)
    asyncio.run(race())
    assert sizes == {(400_000, 1)}


def test_deleting_leaves_no_empty_folders(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "objects"))
    store.put("jobs/one/a/b", b"x")
    store.delete_all("jobs/one")
    assert not (tmp_path / "objects" / "jobs").exists()
    store.put("jobs/one/a/b", b"y")
    assert store.get("jobs/one/a/b") == b"y"


def test_errors_of_the_backend_tell_callers_no_paths(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "objects"))
    (tmp_path / "objects" / "jobs").write_bytes(b"a file in the way")
    with pytest.raises(Unavailable) as caught:
        store.put("jobs/one", b"x")
    assert str(tmp_path) not in str(caught.value)


def test_a_signed_address_serves_the_object_for_a_while(s3_url: str, tmp_path: Path) -> None:
    store = open_store(f"{s3_url}/{tmp_path.name}")
    store.put("a/b", b"hello")
    address = store.address("a/b", 60)
    assert address is not None
    assert urllib.request.urlopen(address).read() == b"hello"
    assert "X-Amz-Signature" in address
    assert open_store("memory://").address("a/b", 60) is None
