"""How a trigger is written on SQLite and on PostgreSQL, where a function does its work."""

from collections.abc import Iterable


def sqlite(name: str, event: str, when: str, statements: Iterable[str]) -> str:
    """A trigger of SQLite; an empty `when` is always."""
    condition = f" WHEN {when}" if when else ""
    return f"CREATE TRIGGER {name} AFTER {event}{condition} BEGIN\n{_lines(statements)}END"


def function(name: str, statements: Iterable[str]) -> str:
    """The function of the trigger of this name on PostgreSQL; takes the place of an earlier one."""
    return (
        f"CREATE OR REPLACE FUNCTION {_runs(name)}() RETURNS trigger LANGUAGE plpgsql AS $f$\n"
        f"BEGIN\n{_lines(statements)}  RETURN NULL;\nEND $f$"
    )


def for_each_row(name: str, event: str, when: str) -> str:
    """A trigger of PostgreSQL that runs its function for each row; an empty `when` is always."""
    condition = f" WHEN ({when})" if when else ""
    return (
        f"CREATE TRIGGER {name} AFTER {event} FOR EACH ROW{condition}"
        f" EXECUTE FUNCTION {_runs(name)}()"
    )


def for_each_statement(name: str, event: str, rows: str) -> str:
    """A trigger of PostgreSQL that runs its function once a statement.

    Args:
        name: Of the trigger.
        event: Such as `INSERT ON task`.
        rows: What the function calls them: `NEW TABLE AS added`.
    """
    return (
        f"CREATE TRIGGER {name} AFTER {event} REFERENCING {rows} FOR EACH STATEMENT"
        f" EXECUTE FUNCTION {_runs(name)}()"
    )


def _lines(statements: Iterable[str]) -> str:
    return "".join(f"  {statement};\n" for statement in statements)


def _runs(name: str) -> str:
    return f"voxtrace_{name.removeprefix('tr_')}"
