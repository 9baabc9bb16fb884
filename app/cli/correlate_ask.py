"""`voxtrace correlate`: what failures, or any selection, have in common, in sentences."""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Final

import click

from app.cli import wrong_filter
from app.cli.work import make_core, print_json
from app.config.settings import Settings
from app.domain.errors import QueryError
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.parse import parse_with_room
from app.service.correlate import asking, shape
from app.service.correlate.progress import Phase, Tell, nobody
from app.service.correlate.question import NAMES, asked
from app.service.correlate.subjects import NAMES_ZH
from app.service.correlate.words import Reader
from app.service.figures import Language, count, percent
from telemetry.names import SERVICE_CLI
from telemetry.tracing import SpanContext, parse_traceparent

#: What stands before an address, or a number.
_WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "window": "{from} to {to}, against the time since {baseline_from}",
        "counts": "{selected} of {n} attempts are these; before, {baseline_selected} of"
        " {baseline_n}",
        "these": "these",
        "all": "all that fit",
        "chance": "by chance",
        "example": "such as",
        "success": "and, most like it, what completed",
        "differs": "differs in",
        "nothing": "nothing",
        "compare": "side by side",
        "bars": "by {name}",
        "note": "note",
        "comma": ", ",
    },
    "zh": {
        "window": "{from} 至 {to}，与 {baseline_from} 以来比较",
        "counts": "{n} 次运行中 {selected} 次属于所选；此前 {baseline_n} 次中"
        " {baseline_selected} 次",
        "these": "所选",
        "all": "全部符合的",
        "chance": "偶然概率",
        "example": "例如",
        "success": "最相似的成功运行",
        "differs": "不同之处",
        "nothing": "无",
        "compare": "并排比较",
        "bars": "按 {name}",
        "note": "注意",
        "comma": "、",
    },
}
_COUNTS: Final = ("n", "selected", "baseline_n", "baseline_selected")
#: A value that is not there, as filters write it.
_NONE: Final = '""'
#: Values of a dimension that are told, and dimensions.
_VALUES: Final = 3
_DIMENSIONS: Final = 4


def ask(settings: Settings, options: dict[str, Any]) -> int:
    """Asks, waits however long it takes, prints; 2 where a filter is wrong."""
    given = {name: options.get(name) or "" for name in NAMES}
    try:
        wanted = asked(given)
        core = make_core(settings)
        told = asking.answer(core, wanted, service=SERVICE_CLI, parent=_parent(), tell=_tell())
    except QueryError as error:
        return wrong_filter.tell(_wrong(given), error)
    asking.keep(core, told)
    language: Language = options["lang"]
    found = shape.answer(told.answer, Reader(lang=language, now_us=told.answer.now))
    if options["json"]:
        print_json(found)
        return 0
    for line in _lines(_named(found, language), settings.local_url, _WORDS[language]):
        click.echo(line)
    return 0


def _parent() -> SpanContext | None:
    """The span of the caller, where it named one."""
    return parse_traceparent(os.environ.get("TRACEPARENT"), os.environ.get("TRACESTATE"))


def _wrong(given: dict[str, str]) -> str:
    """Which of the two filters is wrong."""
    try:
        parse_with_room(given["query"], ATTEMPTS)
    except QueryError:
        return given["query"]
    return given["within"]


def _tell() -> Tell:
    """Shows how far it is, to whoever sits before it."""
    if not sys.stderr.isatty():
        return nobody

    def tell(phase: Phase, permille: int) -> None:
        click.echo(f"\r  {phase} {permille / 10:.0f} %{'':<10}\r", nl=False, err=True)

    return tell


def _named(found: dict[str, Any], language: Language) -> dict[str, Any]:
    """The answer with dimensions called as sentences of the language call them."""
    if language == "en":
        return found
    for dimension in found["dimensions"]:
        dimension["name"] = NAMES_ZH[dimension["name"]]
    for finding in found["findings"]:
        for example in finding["exemplars"]:
            if example["success"] is not None:
                example["success"]["differs"] = [
                    NAMES_ZH[name] for name in example["success"]["differs"]
                ]
    return found


def _lines(found: dict[str, Any], base: str, says: dict[str, str]) -> Iterator[str]:
    yield found["overall"]["words"]
    yield f"  {says['window'].format_map(found['question'])}"
    yield f"  {says['counts'].format_map({name: count(found[name]) for name in _COUNTS})}"
    for place, finding in enumerate(found["findings"], start=1):
        yield ""
        yield f"{place}. {finding['words']}"
        yield from _evidence(finding, base, says)
    if found["dimensions"] and found["selected"]:
        yield ""
        yield from _bars(found["dimensions"], says)
    for note in found["notes"]:
        yield f"{says['note']}: {note}"


def _evidence(finding: dict[str, Any], base: str, says: dict[str, str]) -> Iterator[str]:
    yield f"   {says['chance']}: q = {finding['q']:.2g}"
    yield f"   {says['these']} ({count(finding['observed'])}): {base}{finding['attempts_url']}"
    yield f"   {says['all']} ({count(finding['n'])}): {base}{finding['all_attempts_url']}"
    for example in finding["exemplars"]:
        yield f"   {says['example']} {_example(example, base)}"
        success = example["success"]
        if success is not None:
            differs = says["comma"].join(success["differs"]) or says["nothing"]
            yield f"      {says['success']}: {_example(success, base)}"
            yield f"      {says['differs']}: {differs}"
            yield f"      {says['compare']}: {base}{example['compare_url']}"


def _example(example: dict[str, Any], base: str) -> str:
    """An attempt, its trace, and where both are shown."""
    jaeger = f"  {example['jaeger_url']}" if example["jaeger_url"] else ""
    name = f"{example['task_id']}.{example['attempt']}"
    return f"{name}  trace {example['trace_id']}  {base}{example['url']}{jaeger}"


def _bars(dimensions: Iterable[dict[str, Any]], says: dict[str, str]) -> Iterator[str]:
    """The dimensions that tell most, each with the values of most of the selected."""
    for dimension in list(dimensions)[:_DIMENSIONS]:
        values = ", ".join(
            f"{value['value'] or _NONE} {percent(value['selected_share'])}"
            f" / {percent(value['others_share'])}"
            for value in dimension["values"][:_VALUES]
            if not value["is_rest"]
        )
        yield f"  {says['bars'].format_map(dimension)}: {values}"
