"""The tables of filters and of flags out of `QUALIFIERS` and `FLAGS`, as Markdown."""

from app.domain.query.qualifiers import FLAGS, QUALIFIERS, Kind, Qualifier


def table() -> str:
    """One row for each filter, in the order of the code, and then one for each flag."""
    filters = ["| filter | what it asks for | values |", "|---|---|---|"]
    flags = ["| flag | of a task that |", "|---|---|"]
    filters += map(_row, QUALIFIERS.values())
    flags += [f"| `is:{name}` | {says} |" for name, says in FLAGS.items()]
    return "\n".join([*filters, "", *flags])


def _row(qualifier: Qualifier) -> str:
    names = ", ".join(f"`{name}:`" for name in (qualifier.name, *qualifier.aliases))
    values = qualifier.kind.value
    if qualifier.kind is Kind.CHOICE:
        values = ", ".join(f"`{word}`" for word in qualifier.choices)
    missing = '; `""`: there is none' if qualifier.can_miss else ""
    return f"| {names} | {qualifier.says} | {values}{missing} |"
