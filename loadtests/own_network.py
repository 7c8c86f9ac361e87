"""A network of its own for this process and its children, in which packets can be dropped."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["dropped", "enter_own_network"]

_CLONE_NEWNET = 0x40000000


def enter_own_network() -> bool:
    """Leave this machine's network for an empty one with a loopback, for good; whether it could.

    Needs root, and iproute2 and iptables. Call it before there are threads or children.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        return False
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    try:
        return subprocess.run(["iptables", "-w", "-L"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def dropped(port: int) -> Iterator[None]:
    """While it lasts, every packet to and from a TCP port is lost; no connection is told."""
    rules = [("--dport", str(port)), ("--sport", str(port))]
    try:
        for rule in rules:
            _iptables("-A", rule)
        yield
    finally:
        for rule in rules:
            _iptables("-D", rule)


def _iptables(action: str, rule: tuple[str, str]) -> None:
    command = ["iptables", "-w", action, "INPUT", "-p", "tcp", *rule, "-j", "DROP"]
    subprocess.run(command, check=True)
