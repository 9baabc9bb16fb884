"""The population of the benchmark: who speaks, what fails and why, in what rhythm."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.fingerprint import cause_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOUR_US: Final = 3_600_000_000
DAYS: Final = 90
HOURS: Final = DAYS * 24

ENGINES: Final = ("espeak", "piper", "cloud-a", "cloud-b")
#: Engines at which tasks now and then wait for capacity.
CLOUDS: Final = (2, 3)
ENGINE_VERSIONS: Final = ("1.52", "2.1", "2026-05", "7")
_LANGUAGES: Final = ("en-US", "zh-CN", "en-GB", "de", "fr", "es", "ja", "pt-BR", "hi", "ko")
#: Each voice is one engine's and speaks one language.
VOICES: Final = tuple(f"{_LANGUAGES[n % 10]}-{ENGINES[n % 4]}-{n:02}" for n in range(40))
VOICE_LANGUAGES: Final = tuple(_LANGUAGES[n % 10] for n in range(40))
WORKERS: Final = tuple(f"w{n}" for n in range(1, 9))
#: Two workers run on each.
HOSTS: Final = tuple(f"host-{n // 2 + 1}" for n in range(8))
RELEASES: Final = tuple(f"1.{n}.0" for n in range(13))
SOURCES: Final = ("api", "page", "legacy", "cli", "canary")
SOURCE_SHARES: Final = (0.7, 0.15, 0.1, 0.049, 0.001)

#: Of the ended: completed, failed, timeout, cancelled.
ENDS: Final = ("completed", "failed", "timeout", "cancelled")
END_SHARES: Final = (0.973, 0.02, 0.002, 0.005)
#: Tasks at the end of the ninety days that have not ended; fewer where there are few.
PENDING: Final = 40
PROCESSING: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a task fails; each is one fingerprint.

    Attributes:
        message: What the row says; `{n}` differs from task to task.
        is_tried_again: Whether the tries were used up first.
    """

    error_type: str
    kind: str
    message: str
    code: str
    is_tried_again: bool

    @property
    def fingerprint(self) -> str:
        """Its key."""
        return cause_of(self.error_type, self.message.format(n=1), code=self.code).fingerprint


_KINDS: Final = (
    ("engine_rejected", "permanent", "{engine} refused segment {{n}} of the text"),
    ("engine_unavailable", "retryable", "{engine} did not answer within {{n}} ms"),
    ("engine_crashed", "retryable", "the program of {engine} ended with signal {{n}}"),
    ("engine_timeout", "retryable", "{engine} was still speaking after {{n}} s"),
    ("audio_invalid", "retryable", "{engine} gave {{n}} ms of silence"),
)
#: Forty: five kinds of error, two provider codes, four engines.
CAUSES: Final = tuple(
    Cause(
        error_type=error_type,
        kind=kind,
        message=message.format(engine=engine),
        code=code,
        is_tried_again=kind == "retryable",
    )
    for engine in ENGINES
    for error_type, kind, message in _KINDS
    for code in ("E1", "E2")
)

#: A cause that begins forty minutes before the end: one engine fails on one worker, mostly.
PLANTED_US: Final = 40 * 60_000_000
PLANTED_ENGINE, PLANTED_WORKER = 0, 2
PLANTED_SHARE: Final = 0.9
#: What it fails with: one of the engine's own causes, which is not tried again.
PLANTED_CAUSE: Final = 1

_ENGLISH: Final = """harbour lantern copper meadow winter signal garden thunder paper river mountain
silver window kitchen engine feather market bridge candle forest orchard anchor violin island"""
_CHINESE: Final = "港口 灯笼 冬天 信号 花园 河流 高山 窗户 市场 森林 小岛 天气 新闻 火车 音乐 语音"
_WORDS: Final = f"{_ENGLISH} {_CHINESE}".split()


def sentences(count: int = 4096) -> list[str]:
    """Contents of texts, some seventy characters long; a number is put behind each."""
    rng = np.random.default_rng(1)
    picks = rng.integers(0, len(_WORDS), (count, 9))
    return [" ".join(_WORDS[word] for word in line).capitalize() for line in picks]


def hour_counts(count: int, end: int) -> Ints:
    """How many tasks come in each hour: more by day, fewer at weekends, and more each week."""
    hours = end // HOUR_US - HOURS + np.arange(HOURS)
    by_day = 1 + 0.75 * np.sin(2 * np.pi * (hours % 24 - 8) / 24)
    weekend = np.where((hours // 24 + 3) % 7 >= 5, 0.55, 1.0)
    growth = np.linspace(0.7, 1.3, HOURS)
    weights = by_day * weekend * growth
    return np.random.default_rng([6, count]).multinomial(count, weights / weights.sum())


def voice_shares() -> Floats:
    """How often each voice is asked for: a few are loved."""
    weights = 1 / np.arange(1, len(VOICES) + 1) ** 0.7
    shares: Floats = weights / weights.sum()
    return shares


def cause_shares() -> Floats:
    """How often each cause is the one, within its engine."""
    weights = 1 / np.arange(1, 11, dtype=np.float64)
    shares: Floats = weights / weights.sum()
    return shares
