"""A native program that a test starts, asks for its health and kills: the base of `backends`.

It dies with the *thread* that started it (PDEATHSIG): start it from one that lives to the end.
"""

import os
import random
import re
import signal
import socket
import subprocess
from functools import partial
from pathlib import Path
from typing import Final, Self

import requests

from app.process import set_parent_death_signal
from tests.support.wait import wait_until

#: Seconds within which a program must answer after its start.
START_S: Final = 60.0
_DICE = random.SystemRandom()
#: Log lines that tell of nothing wrong.
_CALM = re.compile(r"\tinfo\t|level=info")


def quiet_port() -> int:
    """A port of 127.0.0.1 that no outgoing connection can take while its program is dead.

    A free port as the kernel gives it is one of those that it gives to clients, too: a connection
    to a killed program's port may then be answered by its own caller (TCP's simultaneous open).
    """
    while True:
        port = _DICE.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Backend:
    """A native program with a health address; use it as a context, or `start` and `kill` it.

    Args:
        program: The file.
        folder: Its data and its output; made if it is not there, and kept.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self.folder = folder
        self.environ: dict[str, str] = {}
        self._program = program
        self._popen: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def health_url(self) -> str:
        """Answers 200 once the program is ready."""
        raise NotImplementedError

    def arguments(self) -> list[str]:
        """The words after the program's name."""
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        """Its process; None where it does not run."""
        return self._popen.pid if self._popen is not None and self._popen.poll() is None else None

    @property
    def log(self) -> Path:
        """What all its starts have printed."""
        return self.folder / "log"

    def output(self) -> str:
        """What all its starts have printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def start(self) -> Self:
        """Starts it (again) and waits until it is ready; nothing where it runs."""
        self.launch()
        wait_until(self.is_ready, START_S, what=f"{self._program.name} is ready")
        return self

    def launch(self) -> None:
        """Starts it (again) and does not wait; nothing where it runs."""
        if self.pid is not None:
            return
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                [self._program, *self.arguments()],
                env={**os.environ, **self.environ},
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(set_parent_death_signal, signal.SIGKILL),  # noqa: PLW1509 - one prctl, no lock
            )

    def is_ready(self) -> bool:
        """Whether its health address says yes; fails with its output where it has ended."""
        assert self.pid is not None, f"{self._program} ended:\n{self.output()[-4000:]}"
        try:
            return requests.get(self.health_url, timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def signal(self, signum: int) -> None:
        """Sends it a signal; fails where it does not run."""
        pid = self.pid
        assert pid is not None, f"{self._program.name} does not run"
        os.kill(pid, signum)

    def kill(self) -> None:
        """SIGKILL, as a crash or a lack of memory does it; waits for the end."""
        popen, self._popen = self._popen, None
        if popen is not None:
            popen.kill()
            popen.wait(30)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            told = [line for line in self.output().splitlines() if not _CALM.search(line)]
            print(f"--- {self._program.name}", *told[-10:], sep="\n")
        self.kill()
