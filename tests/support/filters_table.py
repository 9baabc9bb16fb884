"""The tables of filters and of flags out of a grammar, as Markdown."""

from app.domain.query.grammar import Grammar
from app.domain.query.qualifiers import Kind, Qualifier


def table(grammar: Grammar) -> str:
    """One row for each filter, in the order of the code, and then one for each flag."""
    row = grammar.rows.removesuffix("s")
    article = "an" if row[0] in "aeiou" else "a"
    filters = ["| filter | what it asks for | values |", "|---|---|---|"]
    flags = [f"| flag | of {article} {row} that |", "|---|---|"]
    filters += map(_row, grammar.qualifiers.values())
    flags += [f"| `is:{name}` | {says} |" for name, says in grammar.flags.items()]
    return "\n".join([*filters, "", *flags])


def _row(qualifier: Qualifier) -> str:
    names = ", ".join(f"`{name}:`" for name in (qualifier.name, *qualifier.aliases))
    values = qualifier.kind.value
    if qualifier.kind is Kind.CHOICE:
        values = ", ".join(f"`{word}`" for word in qualifier.choices)
    missing = '; `""`: there is none' if qualifier.can_miss else ""
    return f"| {names} | {qualifier.says} | {values}{missing} |"
