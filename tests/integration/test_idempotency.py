"""Idempotency keys: they answer as the first time for as long as is set, and then are free."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Row, select, update

from app.domain.errors import ConflictError
from app.service import idempotency
from app.service.core import Core
from app.service.submit import SubmitRequest, Submitted, submit
from app.store.tables import submission_table
from tests.support.home import Home

_S = submission_table.c
_HOUR_US = 3_600_000_000


def _submit(core: Core, key: str, content: str = "Key.") -> Submitted:
    return submit(
        core, SubmitRequest(content=content, source="api", engine="tone", idempotency_key=key)
    )


def _age(core: Core, *, hours: float, key: str | None = None) -> None:
    """Lets keys (or this one) have been used so long ago."""
    with core.database.write() as conn:
        at = core.database.now_us(conn) - round(hours * _HOUR_US)
        statement = update(submission_table).values(created_at=at)
        conn.execute(statement if key is None else statement.where(_S.idempotency_key == key))


def _rows(core: Core) -> list[Row[tuple[int, str, str]]]:
    """(text, key, hash of the request) of each submission, in their order."""
    columns = (_S.text_id, _S.idempotency_key, _S.request_hash)
    with core.database.read() as conn:
        return list(conn.execute(select(*columns).order_by(_S.id)))


def test_key_counts_to_the_microsecond(any_home: Home) -> None:
    """A key answers for 24 hours but a microsecond; with the last one it is free."""
    core = any_home.core
    first = _submit(core, "k")
    with core.database.write() as conn:
        used_at = conn.scalars(select(_S.created_at)).one()
        expires_at = used_at + 24 * _HOUR_US
        found = idempotency.first_use(core, conn, "k", expires_at - 1)
        assert found is not None
        assert found.text_id == first.text.id
        assert idempotency.first_use(core, conn, "k", expires_at) is None
    assert _rows(core) == [(first.text.id, None, None)]


def test_expired_key_is_as_if_never_used(any_home: Home) -> None:
    """Before any sweep, it takes another request, and from then on answers with that one."""
    any_home.environ["VOXTRACE_IDEMPOTENCY_H"] = "2"
    core = any_home.core
    first = _submit(core, "k", "First.")
    _age(core, hours=1.9)
    assert _submit(core, "k", "First.").text.id == first.text.id
    with pytest.raises(ConflictError, match="another request"):
        _submit(core, "k", "Second.")
    _age(core, hours=2)
    second = _submit(core, "k", "Second.")
    assert second.disposition == "new"
    assert _submit(core, "k", "Second.").text.id == second.text.id
    (old, new) = _rows(core)
    assert old == (first.text.id, None, None), "the submission stays, without its key"
    assert (new.text_id, new.idempotency_key) == (second.text.id, "k")


def test_expired_key_used_by_many_at_once_is_one_submission(any_home: Home) -> None:
    """Eight requests with one expired key at the same moment: one text, the same for all."""
    core = any_home.core
    for turn in range(5):
        _age(core, hours=25)
        start = threading.Barrier(8)

        def ask(_number: int, turn: int = turn, start: threading.Barrier = start) -> Submitted:
            start.wait()
            return _submit(core, "k", f"Turn {turn}.")

        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(ask, range(8)))
        assert len({one.text.id for one in found}) == 1
        rows = _rows(core)
        assert [row.idempotency_key for row in rows] == [None] * turn + ["k"]


def test_sweep_frees_expired_keys_in_batches(any_home: Home) -> None:
    """The oldest first, as many as a batch holds; young keys and all submissions stay."""
    core = any_home.core
    for name in ("young", "old", "older", "oldest"):
        _submit(core, name, f"{name}.")
    for name, hours in (("young", 23), ("old", 25), ("older", 26), ("oldest", 27)):
        _age(core, hours=hours, key=name)
    assert idempotency.sweep(core, limit=2) == 2
    assert [row.idempotency_key for row in _rows(core)] == ["young", "old", None, None]
    assert [idempotency.sweep(core, limit=2) for _ in range(2)] == [1, 0]
    rows = _rows(core)
    assert [row.idempotency_key for row in rows] == ["young", None, None, None]
    assert [row.request_hash is None for row in rows] == [False, True, True, True]


def test_keys_are_kept_for_ever_where_that_is_set(any_home: Home) -> None:
    """VOXTRACE_IDEMPOTENCY_H=0: a key of ten years ago answers, and no sweep takes it."""
    any_home.environ["VOXTRACE_IDEMPOTENCY_H"] = "0"
    core = any_home.core
    first = _submit(core, "k")
    _age(core, hours=87_600)
    assert idempotency.sweep(core) == 0
    assert _submit(core, "k").text.id == first.text.id


def test_sweep_of_no_key_waits_for_nobody(home: Home) -> None:
    """Where no key has expired, the writer's lock is not asked for."""
    core = home.core
    _submit(core, "k")
    with core.database.write():
        assert idempotency.sweep(core) == 0
