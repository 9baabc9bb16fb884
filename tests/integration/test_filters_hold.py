"""Any filter on real databases: it is answered, as it says, and so is what it excludes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from app.domain.query.order import Sort
from app.domain.query.parse import MAX_CHARS, parse
from app.domain.query.query import Query, Term, named
from app.service import task_list, task_search
from app.service.core import Core
from tests.conftest import KINDS, database_url
from tests.support.home import Home
from tests.support.listed_rows import Listed, holds, listed, populate
from tests.support.postgres import shared_server
from tests.support.queries import queries
from tests.support.service import submitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A database with tasks, and what is in it."""

    core: Core
    rows: Sequence[Listed]


@pytest.fixture(scope="module", params=KINDS)
def table(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Table]:
    """Some tasks on each database."""
    path = tmp_path_factory.mktemp("filters")
    with Home.make(path / "home", database_url(request.param, path)) as home:
        with home.core.database.write() as conn:
            populate(conn, count=40, seed=3)
            rows = list(listed(conn))
        yield Table(core=home.core, rows=rows)


def _found(core: Core, query: Query) -> tuple[set[int], int]:
    """The tasks of a filter, and when they were looked for."""
    page = task_list.page(core, query, sort=Sort.SUBMITTED, limit=1000)
    assert page.next is None
    return {one.task.id for one in page.tasks}, page.now


def _turned(term: Term) -> Term:
    return replace(term, is_negated=not term.is_negated)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=queries())
@example(query=parse("chars:>3000000000 -attempts:1000000000000000 lost:1..4000000000"))
@example(query=parse("since:11574074d until:0s"))
def test_any_filter_holds_for_what_it_says(table: Table, query: Query) -> None:
    """Each filter finds what a naive look finds; a term and its negation share out all tasks."""
    found, now = _found(table.core, query)
    assert found == {one.task.id for one in table.rows if holds(query, one, now)}
    for term in query.terms:
        is_so, _ = _found(table.core, Query(terms=(term,)))
        is_not, _ = _found(table.core, Query(terms=(_turned(term),)))
        assert not is_so & is_not, str(term)
        assert is_so | is_not == {one.task.id for one in table.rows}, str(term)
    assert len(str(query)) > MAX_CHARS or parse(str(query)) == query


#: Letters that Unicode, SQLite's index and LIKE do not all fold alike.
_BODIES = (
    *("the ΟΔΟΣ ends", "the οδος ends", "the οδοσ ends", "paradiſe", "paradise", "5 µmol"),
    *("5 μmol", "300 kelvin", "აბგ საქართველო", "ᲐᲑᲒ ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ", "ꮳꮃꭹ", "ᏣᎳᎩ"),
)
_SOUGHT = ("ΟΔΟΣ", "οδος", "paradise", "paradiſe", "µmol", "kelvin", "აბგ", "ᲐᲑᲒ", "ᏣᎳᎩ", "Ꮳ")


def _check_letters(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = {submitted(core, body).task.id for body in _BODIES}
    indexed = {}
    for word in _SOUGHT:
        term = named("text", word)
        is_so, _ = _found(core, Query(terms=(term,)))
        is_not, _ = _found(core, Query(terms=(_turned(term),)))
        assert is_so, word
        assert not is_so & is_not, word
        assert is_so | is_not == everything, word
        indexed[word] = is_so
    monkeypatch.setattr(task_search, "MAX_ROWS", 0)
    looked = {word: _found(core, Query(terms=(named("text", word),)))[0] for word in _SOUGHT}
    assert looked == indexed


def test_letters_with_odd_cases_are_found_or_not(
    any_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text has a word or has it not, whether an index says so or the rows are looked at."""
    _check_letters(any_home.core, monkeypatch)


@pytest.mark.postgres
def test_letters_are_found_or_not_where_postgres_knows_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is in a database of C.UTF-8, which folds more letters."""
    locale = "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
    shared_server().execute(f"CREATE DATABASE odd_letters TEMPLATE template0 {locale}")
    with Home.make(tmp_path / "home", shared_server().url("odd_letters")) as home:
        _check_letters(home.core, monkeypatch)
