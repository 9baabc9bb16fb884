"""The documents against the code: generated parts, names that must exist, links that must lead."""

import re
import subprocess
from pathlib import Path

import pytest

from app.cli.main import cli
from app.config.specs import SPECS
from app.domain.task import TRANSITIONS
from app.store.tables import metadata
from tests.support import generated

_ROOT = Path(__file__).parents[2]
_PAGES = sorted(
    path
    for path in [*_ROOT.glob("*.md"), *_ROOT.glob("docs/*.md"), *_ROOT.glob("docs/adr/*.md")]
    if path.is_file()
)
#: Variables of the tests and the process tree, which are no settings.
_NOT_SETTINGS = re.compile(r"VOXTRACE_(TEST_\w+|RUN|PARENT_PID|BENCH_TEXTS|OTELCOL|JAEGER)$")
#: Shown as mistakes, to show what is said about them.
_MISTAKES = frozenset({"VOXTRACE_HOMES", "VOXTRACE_"})


def _id(path: Path) -> str:
    return str(path.relative_to(_ROOT))


@pytest.mark.parametrize("maker", generated.PARTS)
def test_generated_part_is_what_the_code_says(maker: str) -> None:
    """The drawing of the states, the tables of filters and of settings are those of the code."""
    name, part = generated.PARTS[maker]
    page = (_ROOT / "docs" / name).read_text()
    assert generated.renewed(page, maker, part) == page, "run: python -m tests.support.generated"


def test_stale_part_is_seen() -> None:
    """A part that differs by one word is not taken for the right one."""
    page = (_ROOT / "docs/state-machine.md").read_text()
    stale = page.replace("pending --> processing: claim", "pending --> processing: take")
    assert stale != page
    maker = "tests/support/draw.py"
    assert generated.renewed(stale, maker, generated.PARTS[maker][1]) == page


def test_table_of_moves_is_the_table() -> None:
    """docs/state-machine.md explains each move of the state machine, and no other."""
    page = (_ROOT / "docs/state-machine.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|", page, re.MULTILINE)
    moves = {(str(s), str(m), str(after)) for (s, m), after in TRANSITIONS.items()}
    assert set(rows) == moves
    assert len(rows) == len(moves)


def test_architecture_names_every_table() -> None:
    """The table of tables is that of the schema."""
    page = (_ROOT / "docs/architecture.md").read_text()
    section = page.partition("## Database")[2]
    named = {
        name
        for row in re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert named == set(metadata.tables)


@pytest.mark.parametrize("path", _PAGES, ids=_id)
def test_settings_in_a_document_exist(path: Path) -> None:
    """Every VOXTRACE_… in the documents is a setting."""
    known = {spec.name for spec in SPECS} | _MISTAKES
    named = {name.rstrip("_") for name in re.findall(r"VOXTRACE_\w+", path.read_text())}
    assert {name for name in named - known if not _NOT_SETTINGS.match(name)} == set()


@pytest.mark.parametrize("path", _PAGES, ids=_id)
def test_commands_in_a_document_exist(path: Path) -> None:
    """Every `voxtrace COMMAND` in code is a command."""
    text = path.read_text()
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ {4,}(.+)$", text, re.MULTILINE)
    named = {
        name for line in code for name in re.findall(r"(?:^|\s|bin/)voxtrace ([a-z]+)\b", line)
    }
    assert named - set(cli.commands) - {"is"} == set()


@pytest.mark.parametrize("path", _PAGES, ids=_id)
def test_links_lead_somewhere(path: Path) -> None:
    """Links to files of the repository, and to headings of pages, are there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if file.is_relative_to(_ROOT / "docs" / "images") or file == _ROOT / "docs" / "api.md":
            continue
        assert file.exists(), target
        if heading:
            assert heading in _headings(file), target


def _headings(path: Path) -> set[str]:
    found = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in found}


def test_every_decision_is_listed() -> None:
    """docs/adr/README.md has each page, by its own title, and nothing else."""
    index = (_ROOT / "docs/adr/README.md").read_text()
    pages = sorted((_ROOT / "docs/adr").glob("0*.md"))
    for page in pages:
        number, _, title = page.read_text().partition("\n")[0].removeprefix("# ").partition(": ")
        assert f"| [{number}]({page.name}) | {title} |" in index
    assert len(re.findall(r"\]\(0\d+", index)) == len(pages) >= 7


def test_files_that_documents_name_exist() -> None:
    """Paths such as `app/process.py` in code marks are files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=_ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    files = set(listed)
    for path in _PAGES:
        for name in re.findall(
            r"`((?:app|telemetry|tests|deploy|migrations)/[\w/.-]+\.\w+)`", path.read_text()
        ):
            assert name in files or (_ROOT / name).exists(), f"{_id(path)}: {name}"
