"""A check: one part of the service, how it is, since when, and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from app.service.figures import Language

#: ok; warn: needs a look; bad: broken or lost; off: not set up here; unknown: cannot be told now.
Level = Literal["ok", "warn", "bad", "off", "unknown"]
Fact = int | float | str | bool | None

#: Checks without which the service cannot do its work: one of them bad and /readyz says 503.
REQUIRED: Final = frozenset({"database", "schema", "storage", "workers", "duties", "reaper"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The same in two languages; `backticks` set commands and names apart."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        """The words in a language."""
        return self.zh if language == "zh" else self.en

    def sentence(self, language: Language) -> str:
        """The words as a sentence; empty where there are none."""
        words = self.of(language)
        if not words:
            return ""
        return f"{words}。" if language == "zh" else f"{words[:1].upper()}{words[1:]}."


NOTHING: Final = Said(en="", zh="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part.

    Attributes:
        said: What was found, with its numbers.
        fix: What to do; empty where nothing is.
        since: Since when it is not well, microseconds since the epoch; None where it is, or where
            nobody knows.
        seen_at: When it was last seen to be as it is said.
        facts: The numbers, for programs.
    """

    name: str
    level: Level
    said: Said
    fix: Said = NOTHING
    since: int | None = None
    seen_at: int | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def needs_you(self) -> bool:
        """Whether a person should do something."""
        return self.level in {"warn", "bad"}

    @property
    def is_required(self) -> bool:
        """Whether the service cannot do its work without it."""
        return self.name in REQUIRED

    def sentence(self, language: Language) -> str:
        """What was found and what to do, as sentences."""
        joint = "" if language == "zh" else " "
        return f"{self.said.sentence(language)}{joint}{self.fix.sentence(language)}".rstrip()


def needing(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Those that need a person now, the worst first."""
    found = [one for one in checks if one.needs_you]
    return tuple(sorted(found, key=lambda one: one.level != "bad"))


def unknown(name: str, en: str, zh: str) -> Check:
    """A check that cannot be told now."""
    return Check(name=name, level="unknown", said=Said(en=en, zh=zh))


def off(name: str, en: str, zh: str) -> Check:
    """A check of something that is not set up here."""
    return Check(name=name, level="off", said=Said(en=en, zh=zh))
