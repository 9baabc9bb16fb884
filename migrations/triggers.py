"""Triggers that keep totals and a text's state in the transaction of the change itself.

A hand-made DELETE, a bulk UPDATE or a killed writer cannot make them drift. TRUNCATE and INSERT OR
REPLACE bypass triggers and are forbidden. On PostgreSQL the counters are spread over 64 shards and
each statement takes its rows in the order of their keys (taking the old row, then the new one,
deadlocked 20 times in 36 892 transitions). Canary tasks count nowhere. `stat_count` counts what
happened: it never falls, whatever is deleted.

`text.state`: valid audio -> completed; cancelled submission -> cancelled; else its task's status
(completed without audio any more -> failed); no task -> pending.
"""

from migrations import statistics

_NEW_MS = "CASE WHEN NEW.finished_at IS NULL THEN 0 ELSE NEW.run_us / 1000 END"
_OLD_MS = "CASE WHEN OLD.finished_at IS NULL THEN 0 ELSE OLD.run_us / 1000 END"
_ADD_TASK = (
    "ON CONFLICT (shard, status) DO UPDATE SET n = stat_task.n + excluded.n,"
    " run_ms = stat_task.run_ms + excluded.run_ms"
)
_ADD_TEXT = "ON CONFLICT (shard, state) DO UPDATE SET n = stat_text.n + excluded.n"
_STATE = """CASE
    WHEN NEW.audio_id IS NOT NULL THEN 'completed'
    WHEN NEW.cancelled_at IS NOT NULL THEN 'cancelled'
    ELSE coalesce((SELECT CASE status WHEN 'completed' THEN 'failed' ELSE status END
                   FROM task WHERE id = NEW.task_id), 'pending') END"""
_FOLLOWING = "task_id = NEW.id AND audio_id IS NULL AND cancelled_at IS NULL"

_SQLITE = (
    f"""CREATE TRIGGER tr_task_insert AFTER INSERT ON task WHEN NEW.source <> 'canary' BEGIN
  INSERT INTO stat_task (shard, status, n, run_ms) SELECT 0, NEW.status, 1, {_NEW_MS} WHERE true
  {_ADD_TASK};
END""",
    f"""CREATE TRIGGER tr_task_update AFTER UPDATE OF status, run_us ON task BEGIN
  UPDATE text SET state = NEW.status WHERE {_FOLLOWING} AND state <> NEW.status;
  INSERT INTO stat_task (shard, status, n, run_ms)
  SELECT 0, status, n, ms FROM (
    SELECT OLD.status AS status, -1 AS n, -({_OLD_MS}) AS ms
    UNION ALL SELECT NEW.status, 1, {_NEW_MS}) WHERE NEW.source <> 'canary' ORDER BY status
  {_ADD_TASK};
END""",
    f"""CREATE TRIGGER tr_task_delete AFTER DELETE ON task WHEN OLD.source <> 'canary' BEGIN
  INSERT INTO stat_task (shard, status, n, run_ms) SELECT 0, OLD.status, -1, -({_OLD_MS}) WHERE true
  {_ADD_TASK};
END""",
    f"""CREATE TRIGGER tr_text_insert AFTER INSERT ON text BEGIN
  INSERT INTO stat_text (shard, state, n) SELECT 0, NEW.state, 1
  WHERE NEW.source <> 'canary' AND NEW.deleted_at IS NULL {_ADD_TEXT};
  UPDATE text SET state = {_STATE} WHERE id = NEW.id AND state <> {_STATE};
END""",
    f"""CREATE TRIGGER tr_text_answer AFTER UPDATE OF task_id, audio_id, cancelled_at ON text BEGIN
  UPDATE text SET state = {_STATE} WHERE id = NEW.id AND state <> {_STATE};
END""",
    f"""CREATE TRIGGER tr_text_count AFTER UPDATE OF state, deleted_at ON text BEGIN
  INSERT INTO stat_text (shard, state, n)
  SELECT 0, state, n FROM (
    SELECT OLD.state AS state, -1 AS n WHERE OLD.deleted_at IS NULL
    UNION ALL SELECT NEW.state, 1 WHERE NEW.deleted_at IS NULL)
  WHERE NEW.source <> 'canary' ORDER BY state
  {_ADD_TEXT};
END""",
    f"""CREATE TRIGGER tr_text_delete AFTER DELETE ON text BEGIN
  INSERT INTO stat_text (shard, state, n) SELECT 0, OLD.state, -1
  WHERE OLD.source <> 'canary' AND OLD.deleted_at IS NULL {_ADD_TEXT};
END""",
)

_SHARD = "(hashint4(pg_backend_pid()) & 63)::smallint"


def _on(name: str, when: str, function: str) -> str:
    """A row trigger of PostgreSQL."""
    return f"CREATE TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION {function}()"


_POSTGRES = (
    f"""CREATE OR REPLACE FUNCTION voxtrace_task_changed() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    UPDATE text SET state = NEW.status WHERE id IN (
      SELECT id FROM text WHERE {_FOLLOWING} AND state <> NEW.status ORDER BY id FOR UPDATE);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    IF NEW.source = 'canary' THEN RETURN NULL; END IF;
  ELSIF OLD.source = 'canary' THEN RETURN NULL; END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO stat_task (shard, status, n, run_ms) VALUES ({_SHARD}, NEW.status, 1, {_NEW_MS})
    {_ADD_TASK};
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO stat_task (shard, status, n, run_ms) VALUES ({_SHARD}, OLD.status, -1, -({_OLD_MS}))
    {_ADD_TASK};
  ELSE
    INSERT INTO stat_task (shard, status, n, run_ms)
    SELECT {_SHARD}, status, sum(n), sum(ms) FROM (
      SELECT OLD.status AS status, -1 AS n, -({_OLD_MS}) AS ms
      UNION ALL SELECT NEW.status, 1, {_NEW_MS}) AS moved GROUP BY status ORDER BY status
    {_ADD_TASK};
  END IF;
  RETURN NULL;
END $f$""",
    f"""CREATE OR REPLACE FUNCTION voxtrace_text_answer() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  UPDATE text SET state = {_STATE} WHERE id = NEW.id AND state <> {_STATE};
  RETURN NULL;
END $f$""",
    f"""CREATE OR REPLACE FUNCTION voxtrace_text_count() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.source <> 'canary' AND NEW.deleted_at IS NULL THEN
      INSERT INTO stat_text (shard, state, n) VALUES ({_SHARD}, NEW.state, 1) {_ADD_TEXT};
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF OLD.source <> 'canary' AND OLD.deleted_at IS NULL THEN
      INSERT INTO stat_text (shard, state, n) VALUES ({_SHARD}, OLD.state, -1) {_ADD_TEXT};
    END IF;
  ELSIF NEW.source <> 'canary' THEN
    INSERT INTO stat_text (shard, state, n)
    SELECT {_SHARD}, state, sum(n) FROM (
      SELECT OLD.state AS state, -1 AS n WHERE OLD.deleted_at IS NULL
      UNION ALL SELECT NEW.state, 1 WHERE NEW.deleted_at IS NULL) AS moved
    GROUP BY state ORDER BY state
    {_ADD_TEXT};
  END IF;
  RETURN NULL;
END $f$""",
    _on("tr_task_insert", "AFTER INSERT ON task", "voxtrace_task_changed"),
    _on("tr_task_update", "AFTER UPDATE OF status, run_us ON task", "voxtrace_task_changed"),
    _on("tr_task_delete", "AFTER DELETE ON task", "voxtrace_task_changed"),
    _on("tr_text_insert", "AFTER INSERT ON text", "voxtrace_text_count"),
    _on("tr_text_insert_answer", "AFTER INSERT ON text", "voxtrace_text_answer"),
    _on(
        "tr_text_answer",
        "AFTER UPDATE OF task_id, audio_id, cancelled_at ON text",
        "voxtrace_text_answer",
    ),
    _on("tr_text_count", "AFTER UPDATE OF state, deleted_at ON text", "voxtrace_text_count"),
    _on("tr_text_delete", "AFTER DELETE ON text", "voxtrace_text_count"),
)


def statements(dialect: str) -> tuple[str, ...]:
    """What revision 0001 makes on `dialect` (`sqlite` or `postgresql`): totals, a text's state."""
    return _SQLITE if dialect == "sqlite" else _POSTGRES


_ADD_COUNT = "ON CONFLICT (shard, name) DO UPDATE SET n = stat_count.n + excluded.n"
_FINISHED = "NEW.source <> 'canary' AND OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL"
_LATE = "OLD.timed_out_at IS NULL AND NEW.timed_out_at IS NOT NULL"


def _count_finished(shard: str) -> str:
    return f"""INSERT INTO stat_count (shard, name, n)
  VALUES ({shard}, 'finished.' || NEW.status, 1) {_ADD_COUNT};"""


def _count_late(shard: str) -> str:
    return f"""INSERT INTO stat_count (shard, name, n) SELECT {shard}, 'deadline_flags', 1
  FROM task WHERE id = NEW.task_id AND source <> 'canary' {_ADD_COUNT};"""


_SQLITE_COUNTS = (
    f"""CREATE TRIGGER tr_task_finished AFTER UPDATE OF status ON task WHEN {_FINISHED} BEGIN
  {_count_finished("0")}
END""",
    f"""CREATE TRIGGER tr_attempt_late AFTER UPDATE OF timed_out_at ON task_attempt WHEN {_LATE} BEGIN
  {_count_late("0")}
END""",
)


def _counting(function: str, statement: str) -> str:
    return f"""CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  {statement}
  RETURN NULL;
END $f$"""


_POSTGRES_COUNTS = (
    _counting("voxtrace_task_finished", _count_finished(_SHARD)),
    _counting("voxtrace_attempt_late", _count_late(_SHARD)),
    f"""CREATE TRIGGER tr_task_finished AFTER UPDATE OF status ON task FOR EACH ROW
  WHEN ({_FINISHED}) EXECUTE FUNCTION voxtrace_task_finished()""",
    f"""CREATE TRIGGER tr_attempt_late AFTER UPDATE OF timed_out_at ON task_attempt FOR EACH ROW
  WHEN ({_LATE}) EXECUTE FUNCTION voxtrace_attempt_late()""",
)


def count_statements(dialect: str) -> tuple[str, ...]:
    """What revision 0004 makes: counts of what happened, which never fall (`stat_count`)."""
    return _SQLITE_COUNTS if dialect == "sqlite" else _POSTGRES_COUNTS


def task_statements(dialect: str) -> tuple[str, ...]:
    """What revision 0006 took away, for a way back."""
    made = (*statements(dialect), *count_statements(dialect))
    triggers = (f"TRIGGER {name} " for name in statistics.REPLACED)
    wanted = (*triggers, *(f"FUNCTION {name}()" for name in statistics.REPLACED_FUNCTIONS))
    return tuple(one for one in made if any(name in one.partition("\n")[0] for name in wanted))
