"""Heaps of the C library: however many threads, a process has a bounded number of them."""

import os
import platform
import subprocess
import sys

import pytest

from app import process

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="NO GLIBC: another C library has other heaps"
)

#: 20 threads that hold something at once; prints what was bounded, and how many heaps there are.
_THREADS = """
import ctypes, sys, threading
from app import process
print(process.bound_heaps())
everybody = threading.Barrier(21)
def hold():
    held = bytearray(60_000)
    everybody.wait()
    everybody.wait()
for _ in range(20):
    threading.Thread(target=hold, daemon=True).start()
everybody.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, out)
libc.fclose(out)
print(open(sys.argv[1]).read().count("<heap nr="))
everybody.wait()
"""


def _run(path: str, **environ: str) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    done = subprocess.run(
        [sys.executable, "-c", _THREADS, path],
        env={**clean, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.split()


def test_threads_share_two_heaps(tmp_path: os.PathLike[str]) -> None:
    """20 threads have no heaps of their own, whose free memory nobody else could use."""
    assert _run(f"{tmp_path}/heaps") == ["True", str(process.HEAPS)]


def test_own_setting_of_the_library_is_left_alone(tmp_path: os.PathLike[str]) -> None:
    """Who sets `MALLOC_ARENA_MAX` gets what it says."""
    assert _run(f"{tmp_path}/heaps", MALLOC_ARENA_MAX="5") == ["False", "5"]
