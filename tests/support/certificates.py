"""A certificate for localhost that nobody has signed, made by openssl for one test."""

import shutil
import subprocess
from pathlib import Path

import pytest


def self_signed(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """Files of a certificate and of its key; skips the test where openssl is not installed."""
    if shutil.which("openssl") is None:
        pytest.skip("NO OPENSSL: TLS to the collector is not tested (apt-get install openssl)")
    paths = (folder / f"{name}-cert.pem", folder / f"{name}-key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
               "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
               "-out", str(paths[0]), "-keyout", str(paths[1])]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return paths
