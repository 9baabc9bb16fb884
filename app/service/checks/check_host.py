"""Checks of where the process that asks runs: its database, its storage, its disk, its clock."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app import clock
from app.domain.errors import VoxtraceError
from app.service import database_clock
from app.service.checks.check import NOTHING, Check, Said
from app.service.core import Core
from app.service.figures import duration
from app.store import schema, settings, trigger_state
from app.store.database import Connection

if TYPE_CHECKING:
    from app.service.checks.check import Level

#: Key of the setting whose write proves that the database can be written.
_PROBE: Final = "probe.written_at"
#: Milliseconds from which a small write is slow.
_SLOW_MS: Final = 1000
#: Free bytes from which the disk is short, and as good as full.
_SHORT_BYTES, _FULL_BYTES = 2_000_000_000, 200_000_000
#: Bytes of the write-ahead log that tell of a reader that never ends.
_LONG_WAL_BYTES, _HUGE_WAL_BYTES = 256_000_000, 1_000_000_000
#: Microseconds between two clocks that are noticed, and that spoil logs and traces.
_SKEW_US, _FAR_US = 1_000_000, 60_000_000


def database(core: Core) -> Check:
    """A small row is written and committed: a full disk or a lock shows here."""
    begun_s = clock.monotonic_s()

    def write(conn: Connection) -> None:
        now = core.database.now_us(conn)
        settings.put(conn, _PROBE, now, now=now, by=core.actor)

    try:
        core.database.run(write)
    except VoxtraceError as error:
        said = Said(en=error.message, zh=f"无法写入：`{error.message}`")
        return Check(name="database", level="bad", said=said, fix=_database_fix(core))
    took_ms = round((clock.monotonic_s() - begun_s) * 1000, 1)
    return Check(
        name="database",
        level="warn" if took_ms > _SLOW_MS else "ok",
        said=Said(en=f"written in {took_ms:g} ms", zh=f"写入用时 {took_ms:g} 毫秒"),
        fix=_database_fix(core) if took_ms > _SLOW_MS else NOTHING,
        facts={"took_ms": took_ms},
    )


def _database_fix(core: Core) -> Said:
    if core.database.is_sqlite:
        return Said(
            en="see whether the disk is full, and who else holds the file: "
            "`fuser -v var/voxtrace.db`",
            zh="请检查磁盘是否已满，以及还有谁占用该文件：`fuser -v var/voxtrace.db`",
        )
    return Said(
        en="see whether PostgreSQL runs, and whether VOXTRACE_DATABASE_URL leads to it",
        zh="请检查 PostgreSQL 是否在运行，以及 VOXTRACE_DATABASE_URL 是否正确",
    )


def schema_of(core: Core) -> Check:
    """The schema and its triggers are this release's; `counts` is False where a trigger is not.

    Triggers of somebody else's are named: they may do what they like, also to the counters.
    """
    try:
        schema.check(core.database)
        with core.database.read() as conn:
            strange = trigger_state.strange(conn)
    except VoxtraceError as error:
        said = Said(en=error.message, zh=f"数据库结构不符：`{error.message}`")
        is_trigger = error.error_type == schema.TRIGGERS
        command = "voxtrace reconcile --rebuild" if is_trigger else "voxtrace migrate"
        fix = Said(en=f"`{command}`", zh=f"请运行 `{command}`")
        facts = {"counts": False} if is_trigger else {}
        return Check(name="schema", level="bad", said=said, fix=fix, facts=facts)
    if strange:
        return _strange(strange)
    said = Said(en="the schema is this release's", zh="数据库结构与本版本一致")
    return Check(name="schema", level="ok", said=said)


def _strange(found: list[tuple[str, str]]) -> Check:
    told = ", ".join(f"{name} on {table}" for name, table in found)
    zh = "、".join(f"`{name}`（表 `{table}`）" for name, table in found)
    return Check(
        name="schema",
        level="warn",
        said=Said(
            en=f"triggers that no release made may change counters: {told}",
            zh=f"有非本产品的触发器，可能会改动统计数字：{zh}",
        ),
        fix=Said(
            en="see what they do, and drop one that writes to `stat_` tables: `DROP TRIGGER`",
            zh="请检查它们的作用；如果写入 `stat_` 表，请用 `DROP TRIGGER` 删除",
        ),
        facts={"strange": len(found)},
    )


def storage(core: Core) -> Check:
    """A small file is written and removed."""
    found = core.storage.probe()
    if found.get("ok"):
        return Check(name="storage", level="ok", said=Said(en="written", zh="可写入"))
    words = str(found.get("error", "it cannot be written"))
    return Check(
        name="storage",
        level="bad",
        said=Said(en=words, zh=f"无法写入：`{words}`"),
        fix=Said(
            en="see that the audio folder in VOXTRACE_HOME can be written and has room",
            zh="请检查 VOXTRACE_HOME 中的音频目录是否可写、是否有空间",
        ),
    )


def disk(core: Core) -> Check:
    """Room on the disk of the home."""
    try:
        usage = shutil.disk_usage(core.settings.home)
    except OSError as error:
        said = Said(en=f"cannot be read: {error.strerror}", zh=f"无法读取：`{error.strerror}`")
        fix = Said(en="see VOXTRACE_HOME", zh="请检查 `VOXTRACE_HOME`")
        return Check(name="disk", level="bad", said=said, fix=fix)
    level: Level = "ok"
    if usage.free < _SHORT_BYTES:
        level = "bad" if usage.free < _FULL_BYTES else "warn"
    free, total = f"{usage.free / 1e9:.1f}", f"{usage.total / 1e9:.0f}"
    return Check(
        name="disk",
        level=level,
        said=Said(en=f"{free} GB free of {total} GB", zh=f"共 {total} GB，剩余 {free} GB"),
        fix=NOTHING if level == "ok" else _DISK_FIX,
        facts={"free_bytes": usage.free, "total_bytes": usage.total},
    )


_DISK_FIX: Final = Said(
    en="make room: `docs/operate.md`, the disk fills",
    zh="请腾出空间，见 `docs/operate.md`",
)


def wal(core: Core) -> Check | None:
    """The size of SQLite's write-ahead log; None on another database."""
    path = core.database.raw_path()
    if path is None:
        return None
    try:
        size_bytes = Path(f"{path}-wal").stat().st_size
    except OSError:
        size_bytes = 0
    level: Level = "ok"
    if size_bytes > _LONG_WAL_BYTES:
        level = "bad" if size_bytes > _HUGE_WAL_BYTES else "warn"
    size = f"{size_bytes / 1e6:.1f} MB"
    return Check(
        name="wal",
        level=level,
        said=Said(en=f"write-ahead log of {size}", zh=f"预写日志 {size}"),
        fix=NOTHING if level == "ok" else _WAL_FIX,
        facts={"bytes": size_bytes},
    )


_WAL_FIX: Final = Said(
    en="a reader of the file never ends (a backup, a shell with sqlite3): end it",
    zh="有程序一直在读取该文件（备份或 sqlite3 会话），请结束它",
)


def clocks(core: Core) -> Check:
    """This host's clock against the database's (on SQLite they are one)."""
    with core.database.read() as conn:
        _, apart_us = database_clock.measured(core, conn)
    level: Level = "ok"
    if abs(apart_us) > _SKEW_US:
        level = "bad" if abs(apart_us) > _FAR_US else "warn"
    apart = abs(apart_us)
    same = core.database.is_sqlite
    return Check(
        name="clock",
        level=level,
        said=Said(
            en="the database uses this clock"
            if same
            else f"{duration(apart, 'en')} apart from the database's",
            zh="数据库使用本机时钟" if same else f"与数据库时钟相差 {duration(apart, 'zh')}",
        ),
        fix=NOTHING if level == "ok" else _CLOCK_FIX,
        facts={"apart_ms": round(apart_us / 1000, 1)},
    )


_CLOCK_FIX: Final = Said(
    en="see that both hosts keep their time by NTP: `timedatectl`",
    zh="请确认两台主机都通过 NTP 校时：`timedatectl`",
)
