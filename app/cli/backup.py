"""`voxtrace export FILE` and `voxtrace import FILE`: the whole state in a file, and back."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import click

from app import bootstrap, clock
from app.cli.when import shown
from app.cli.work import make_core, print_json
from app.config.settings import Settings
from app.domain.backup import Manifest
from app.service.backup import check, target
from app.service.backup.export import Exported
from app.service.backup.export import export as export_service
from app.service.backup.progress import Progress
from app.service.backup.restore import Restored
from app.service.backup.restore import restore as restore_service
from app.service.backup.zip_reader import BackupFile, opened
from app.service.core import Core

#: Seconds between two lines of progress where nobody looks on, and where somebody does.
_LINE_S: Final = 10.0
_SHOWN_S: Final = 0.2
_STEPS: Final = {
    "read": "reading",
    "check": "checking",
    "load": "loading",
    "store": "storing",
    "index": "sorting the indexes of",
}


def export(settings: Settings, options: dict[str, Any]) -> int:
    """Writes the file, and says what is in it."""
    core = make_core(settings)
    path = Path(options["file"])
    with Told() as told:
        exported = export_service(
            core, path, with_audio=options["audio"], may_replace=options["force"], tell=told
        )
    if options["json"]:
        print_json(_exported_json(path, exported))
    else:
        click.echo(_exported_words(path, exported))
    return 0


def import_(settings: Settings, options: dict[str, Any]) -> int:
    """Checks the file, asks where rows would go, loads it, and says what came of it."""
    core = bootstrap.make_core(settings, role="migrate", actor="cli", pool_size=1)
    with opened(Path(options["file"])) as backup, Told() as told:
        if not options["check"] and not _may_begin(core, options):
            return 1
        checked = check.check_file(core, backup, tell=told)
        if options["check"]:
            _say_checked(backup, options)
            return 0
        restored = restore_service(core, checked, _wanted(options), tell=told)
    if options["json"]:
        print_json(_restored_json(restored))
    else:
        click.echo(_restored_words(restored))
    return 0


def _wanted(options: dict[str, Any]) -> target.Wanted:
    return target.Wanted(replace=options["replace"], while_running=options["while_running"])


def _may_begin(core: Core, options: dict[str, Any]) -> bool:
    """Whether nothing is in the way, and whoever asks agrees to what will be removed."""
    found, counts = target.counted(core)
    target.refuse(found, _wanted(options))
    if not counts or options["yes"]:
        return True
    click.echo("these rows will be removed:", err=True)
    for name, count in counts.items():
        click.echo(f"  {name:<18} {count:>12}", err=True)
    if click.confirm("remove them, and import?", err=True):
        return True
    click.echo("nothing was changed", err=True)
    return False


def _say_checked(backup: BackupFile, options: dict[str, Any]) -> None:
    if options["json"]:
        print_json({"whole": True, **_manifest_json(backup.manifest)})
    else:
        click.echo(f"the file is whole: {_of(backup.manifest)}")


def _of(manifest: Manifest) -> str:
    rows = {part.table: part.row_count for part in manifest.tables}
    made = f"of {shown(manifest.made_at)}, {manifest.database}, release {manifest.release}"
    return f"{_count(rows.get('task', 0), 'task')}, {manifest.row_count} rows in all ({made})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _exported_words(path: Path, exported: Exported) -> str:
    manifest = exported.manifest
    lines = [f"{path}: {exported.size_bytes} bytes, {_of(manifest)}"]
    if manifest.audio is None:
        lines.append("audio files are not in it: copy the folder audio/, or say --audio")
    else:
        lines.append(_count(manifest.audio.file_count, "audio file"))
        if manifest.audio.missing_count:
            missing = _count(manifest.audio.missing_count, "more audio file")
            lines.append(f"left out, since missing or damaged here: {missing}")
    return "\n".join(lines)


def _restored_words(restored: Restored) -> str:
    lines = [f"imported {_of(restored.manifest)}"]
    if restored.lost_tasks:
        lines.append(
            f"running then: {_count(restored.lost_tasks, 'task')}, which the duties give back to "
            "the queue"
        )
    if restored.stored_files:
        lines.append(f"{_count(restored.stored_files, 'audio file')} stored")
    if restored.missing_files:
        lines.append(
            f"not in this storage: {_count(restored.missing_files, 'audio file')} that rows name; "
            "copy what is missing into the folder audio/"
        )
    lines += [f"the file differs in itself: {words}" for words in restored.drifts]
    return "\n".join(lines)


def _exported_json(path: Path, exported: Exported) -> dict[str, Any]:
    return {"file": str(path), "bytes": exported.size_bytes, **_manifest_json(exported.manifest)}


def _restored_json(restored: Restored) -> dict[str, Any]:
    return {
        **_manifest_json(restored.manifest),
        "lost_tasks": restored.lost_tasks,
        "stored_files": restored.stored_files,
        "missing_files": restored.missing_files,
        "differences": list(restored.drifts),
    }


def _manifest_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "release": manifest.release,
        "schema": manifest.schema,
        "made_at": manifest.made_at,
        "database": manifest.database,
        "rows": {part.table: part.row_count for part in manifest.tables},
        "audio": None if manifest.audio is None else asdict(manifest.audio),
    }


@dataclass(slots=True)
class Told:
    """Progress on standard error: one line that changes, or now and then a line."""

    is_shown: bool = False
    last_s: float = 0.0
    is_open: bool = False

    def __enter__(self) -> Self:
        self.is_shown = sys.stderr.isatty()
        self.last_s = clock.monotonic_s()
        return self

    def __exit__(self, *_error: object) -> None:
        if self.is_open:
            click.echo("\r" + " " * 70 + "\r", err=True, nl=False)

    def __call__(self, progress: Progress) -> None:
        """Tells it, if the last telling is long enough ago."""
        now_s = clock.monotonic_s()
        if now_s - self.last_s < (_SHOWN_S if self.is_shown else _LINE_S):
            return
        self.last_s = now_s
        of = f" of {progress.total}" if progress.total is not None else ""
        count = f": {progress.done}{of}" if progress.done else ""
        line = f"{_STEPS[progress.step]} {progress.what}{count}"
        if self.is_shown:
            click.echo(f"\r{line:<70}", err=True, nl=False)
            self.is_open = True
        else:
            click.echo(line, err=True)
