"""`voxtrace attempts`: attempts that completed or failed, by a filter, a page at a time."""

from typing import Any

import click

from app.cli import wrong_filter
from app.cli.when import shown
from app.cli.work import make_core, print_json
from app.config.settings import Settings
from app.domain.errors import QueryError
from app.service import attempt_list
from app.service.attempt_list import AttemptPage, ListedAttempt
from app.service.figures import duration
from app.web import attempt_shapes


def attempts(settings: Settings, options: dict[str, Any]) -> int:
    """Prints a page of attempts."""
    text = " ".join(options["query"])
    try:
        query = attempt_list.wanted(text, options["since"] or "", options["until"] or "")
        page = attempt_list.page(
            make_core(settings),
            query,
            cursor=options["cursor"],
            limit=options["limit"],
            with_count=options["count"],
        )
    except QueryError as error:
        return wrong_filter.tell(text, error)
    if options["json"]:
        print_json(attempt_shapes.page(page))
        return 0
    for line in (*map(_line, page.attempts), *_foot(page)):
        click.echo(line)
    return 0


def _line(one: ListedAttempt) -> str:
    row = one.row.attempt
    name = f"{row.task_id}.{row.attempt}"
    why = " ".join(part for part in (row.error_type, row.fingerprint, row.template) if part)
    return (
        f"{name:>10}  {row.outcome:<9}  {shown(row.finished_at or 0)}  "
        f"{duration(one.dur_ms * 1000, 'en'):>12}  {row.worker_name:<12}  {row.engine:<8}  "
        f"{row.voice:<14}  {why[:100]}"
    ).rstrip()


def _foot(page: AttemptPage) -> list[str]:
    """What is beyond the page, and how to see it."""
    lines = []
    if page.count is not None:
        n = f"{page.count.n}" if page.count.is_exact else f"at least {page.count.n}"
        lines.append(f"{n} in all")
    if not page.attempts and page.next is None:
        lines.append("no attempt that completed or failed" + (" fits" if page.query else " yet"))
    if page.searched_to is not None:
        lines.append(f"searched back to {shown(page.searched_to[0])}; there may be more")
    if page.next is not None:
        lines.append(f"go on: --cursor {page.next}")
    return lines
