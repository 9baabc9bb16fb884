"""The table of settings out of `SPECS`, as Markdown."""

from app.config.spec import Spec
from app.config.specs import SPECS


def table() -> str:
    """One row for each setting, in the order of the code."""
    head = ["| setting | what it is | unit | default | allowed |", "|---|---|---|---|---|"]
    return "\n".join([*head, *map(_row, SPECS)])


def _row(spec: Spec) -> str:
    default = spec.default_words or (f"`{spec.default}`" if spec.default else "none")
    secret = " Never shown." if spec.is_secret else ""
    cells = (f"`{spec.name}`", spec.help + secret, spec.unit, default, spec.allowed)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
