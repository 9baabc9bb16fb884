"""Logging as a program of ours has it, for a block of a test; afterwards it is as it was."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from app.logs import setup
from app.logs.kept import KEPT
from app.logs.line import Line


@contextmanager
def logging_as(
    program: str = "child", *, level: str = "debug", form: str = "text", keeps_lines: bool = True
) -> Iterator[list[Line]]:
    """Every line of the block, in a list that grows; standard error gets them too."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, KEPT.program)
    levels = {name: logging.getLogger(name).level for name in setup.QUIET}
    lines: list[Line] = []
    handler = setup.configure(level, form=form, program=program, keeps_lines=keeps_lines)
    handler.outlets.append(lines.append)
    try:
        yield lines
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        for name, least in levels.items():
            logging.getLogger(name).setLevel(least)
        KEPT.start(before[2], is_on=False)
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
