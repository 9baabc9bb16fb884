"""Where a filled database lies, and the note beside it that says what it holds."""

import hashlib
import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from sqlalchemy.engine import URL, make_url

from app import bootstrap
from app.config.settings import load
from app.service.core import Core
from tests.support.home import Home, free_port
from tests.support.postgres import PostgresServer

Kind = Literal["sqlite", "postgres"]
KINDS: Final = get_args(Kind)
ROOT: Final = Path("var/bench/stats").absolute()
_SOURCE: Final = Path(__file__).parents[3]
#: What a filled database is made by: a change of one of them makes it old.
_MAKERS: Final = ("migrations", "tests/bench/stats/shape.py", "tests/bench/stats/draw.py",
                  "tests/bench/stats/rows.py", "tests/bench/stats/attempts.py")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What was filled, and what it took.

    Attributes:
        makers: What made it, schema and rows.
        count: Tasks.
        end: The moment after the last of them, in microseconds.
        rows_s, indexes_s: Seconds for the rows, and then for the indexes.
        cpu_s: Processor time of both, the server's too.
        size_bytes: On disk, when it was new.
    """

    makers: str
    count: int
    end: int
    rows_s: float
    indexes_s: float
    cpu_s: float
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A database of the benchmark: its kind, how many tasks, and its address."""

    kind: Kind
    count: int
    url: str

    @property
    def folder(self) -> Path:
        """The home of the programs that run on it; on SQLite the database is there too."""
        return ROOT / f"{self.kind}-{self.count}"

    @property
    def note(self) -> Path:
        """Says what the database holds; is not there while it is filled or changed."""
        return self.folder / "filled.json"

    def home(self) -> Home:
        """A home on it, for programs of ours; the schema is as it was found."""
        environ = {
            "VOXTRACE_HOME": str(self.folder),
            "VOXTRACE_DATABASE_URL": self.url,
            "VOXTRACE_BIND": f"127.0.0.1:{free_port()}",
            "VOXTRACE_ENGINES": "tone,scripted",
            "VOXTRACE_WEB_PROCESSES": "1",
            "VOXTRACE_CANARY_MIN": "0",
            "VOXTRACE_WORKER_NAME": "bench",
        }
        return Home(self.folder, environ)

    def core(self, role: str = "web") -> Core:
        """What the product's functions are called with."""
        return bootstrap.make_core(load(self.home().environ), role=role, actor="bench")


def on_sqlite(count: int) -> Place:
    """The place of a file."""
    url = f"sqlite:///{ROOT / f'sqlite-{count}' / 'voxtrace.db'}"
    return Place(kind="sqlite", count=count, url=url)


def on_postgres(server: PostgresServer, count: int) -> Place:
    """The place of a database in the cluster."""
    return Place(kind="postgres", count=count, url=server.url(f"stats_{count}"))


def plain_url(url: str | URL) -> str:
    """The address of a PostgreSQL database as its own driver takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def known(place: Place) -> Filled | None:
    """What the database holds, if it is whole and made by what is here now."""
    try:
        found = Filled(**json.loads(place.note.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.makers == makers() and found.count == place.count else None


def tell(place: Place, filled: Filled) -> None:
    """Notes that the database is whole."""
    place.note.write_text(json.dumps(asdict(filled), indent=2) + "\n")


def clear(place: Place) -> None:
    """Removes what is in the folder, and makes it anew."""
    shutil.rmtree(place.folder, ignore_errors=True)
    place.folder.mkdir(parents=True)


def say(words: str) -> None:
    """A line of progress: results alone go to stdout."""
    print(words, file=sys.stderr, flush=True)


def makers() -> str:
    """The digest of everything that decides what a filled database holds."""
    digest = hashlib.sha256()
    for name in _MAKERS:
        path = _SOURCE / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
