"""Alerts: the checks that need a person now, as sentences. None means that all is well."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.service.checks.check import Check
from app.service.figures import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that needs a person: `bad` is broken or lost, `warn` needs a look.

    Attributes:
        code: Name of the check.
    """

    code: str
    level: Literal["bad", "warn"]
    en: str
    zh: str

    def of(self, language: Language) -> str:
        """The words in a language."""
        return self.zh if language == "zh" else self.en


def alerts_of(checks: Iterable[Check]) -> tuple[Alert, ...]:
    """Every alert, the worst first."""
    found = [
        Alert(
            code=check.name,
            level="bad" if check.level == "bad" else "warn",
            en=check.sentence("en"),
            zh=check.sentence("zh"),
        )
        for check in checks
        if check.needs_you
    ]
    return tuple(sorted(found, key=lambda alert: alert.level != "bad"))
