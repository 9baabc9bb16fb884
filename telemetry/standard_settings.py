"""Standard variables that OpenTelemetry's SDK reads in our processes, checked before it does.

The SDK itself ignores a wrong value, ends with a traceback, or does both. It is not imported here:
some of them it reads as it is imported. Those of exporters: `export`; the interval of metrics:
`metric_export`; OTEL_RESOURCE_ATTRIBUTES: `provider`. An empty value counts as unset.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final, Literal

Batches = Literal["BSP", "BLRP"]

SAMPLERS: Final = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)
SAMPLER: Final = "OTEL_TRACES_SAMPLER"
SAMPLER_ARG: Final = "OTEL_TRACES_SAMPLER_ARG"
DISABLED: Final = "OTEL_SDK_DISABLED"
INTERNAL_METRICS: Final = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"

#: Variables that take one of a few words.
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    DISABLED: ("true", "false"),
    INTERNAL_METRICS: ("true", "false"),
    SAMPLER: SAMPLERS,
}

_DAY_MS: Final = 86_400_000
_MANY: Final = 1_000_000
#: Variables that take a whole number: the least, the most.
WHOLE: Final[Mapping[str, tuple[int, int]]] = {
    **{
        f"OTEL_{of}_{what}": bounds
        for of in ("BSP", "BLRP")
        for what, bounds in {
            "SCHEDULE_DELAY": (1, _DAY_MS),
            "EXPORT_TIMEOUT": (0, _DAY_MS),
            "MAX_QUEUE_SIZE": (1, _MANY),
            "MAX_EXPORT_BATCH_SIZE": (1, _MANY),
        }.items()
    },
    "OTEL_ATTRIBUTE_COUNT_LIMIT": (0, _MANY),
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": (0, _MANY),
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT": (0, _MANY),
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT": (0, _MANY),
}

#: Variables that name what is installed: the group of entry points, and words beside them.
_NAMES: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "OTEL_PROPAGATORS": ("opentelemetry_propagator", frozenset({"none"})),
    "OTEL_PYTHON_CONTEXT": ("opentelemetry_context", frozenset()),
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": ("opentelemetry_resource_detector", frozenset({"*"})),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How spans or log lines are gathered in memory before they leave at best effort."""

    schedule_delay_ms: int
    export_timeout_ms: int
    max_queue_size: int
    max_export_batch_size: int


#: What the specification says where nobody sets it.
_DEFAULTS: Final[Mapping[Batches, BatchSettings]] = {
    "BSP": BatchSettings(
        schedule_delay_ms=5000,
        export_timeout_ms=30_000,
        max_queue_size=2048,
        max_export_batch_size=512,
    ),
    "BLRP": BatchSettings(
        schedule_delay_ms=1000,
        export_timeout_ms=30_000,
        max_queue_size=2048,
        max_export_batch_size=512,
    ),
}


def check_standard(environ: Mapping[str, str]) -> None:
    """Raises ValueError, with the variable and what it may be, where one of them is wrong."""
    for name in WORDS:
        _word(environ, name)
    for name in WHOLE:
        _whole(environ, name, 0)
    for name in _NAMES:
        _check_names(environ, name)
    sampler_ratio(environ)
    batch_settings("BSP", environ)
    batch_settings("BLRP", environ)


def batch_settings(of: Batches, environ: Mapping[str, str]) -> BatchSettings:
    """What OTEL_BSP_… (spans) or OTEL_BLRP_… (log lines) say.

    Raises:
        ValueError: A value is not allowed, or a batch is to be larger than the queue.
    """
    default = _DEFAULTS[of]
    queue_size = _whole(environ, f"OTEL_{of}_MAX_QUEUE_SIZE", default.max_queue_size)
    name = f"OTEL_{of}_MAX_EXPORT_BATCH_SIZE"
    batch_size = _whole(environ, name, min(queue_size, default.max_export_batch_size))
    if batch_size > queue_size:
        message = (
            f"{name} must be at most OTEL_{of}_MAX_QUEUE_SIZE, {queue_size}, got '{batch_size}'"
        )
        raise ValueError(message)
    return BatchSettings(
        schedule_delay_ms=_whole(environ, f"OTEL_{of}_SCHEDULE_DELAY", default.schedule_delay_ms),
        export_timeout_ms=_whole(environ, f"OTEL_{of}_EXPORT_TIMEOUT", default.export_timeout_ms),
        max_queue_size=queue_size,
        max_export_batch_size=batch_size,
    )


def is_sdk_disabled(environ: Mapping[str, str]) -> bool:
    """Whether OTEL_SDK_DISABLED says that nothing is made and nothing is sent."""
    return environ.get(DISABLED, "").strip().lower() == "true"


def sampler_name(environ: Mapping[str, str]) -> str:
    """What OTEL_TRACES_SAMPLER says, `parentbased_always_on` by default.

    Raises:
        ValueError: It is no sampler of the specification.
    """
    return _word(environ, SAMPLER) or "parentbased_always_on"


def sampler_ratio(environ: Mapping[str, str]) -> float:
    """What OTEL_TRACES_SAMPLER_ARG says, 1 by default.

    Raises:
        ValueError: It is no number from 0 to 1.
    """
    text = environ.get(SAMPLER_ARG, "").strip() or "1"
    try:
        ratio = float(text)
    except ValueError:
        ratio = math.nan
    if not 0 <= ratio <= 1:
        message = f"{SAMPLER_ARG} must be a number from 0 to 1, got {text[:40]!r}"
        raise ValueError(message)
    return ratio


def counts_sdk(environ: Mapping[str, str]) -> bool:
    """Whether the SDK counts its own spans; on unless OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED."""
    return environ.get(INTERNAL_METRICS, "").strip().lower() in {"", "true"}


def _word(environ: Mapping[str, str], name: str) -> str:
    """The word, in lower case; empty where it is unset."""
    value = environ.get(name, "").strip().lower()
    if value and value not in WORDS[name]:
        message = f"{name} must be one of {', '.join(WORDS[name])}, got {value[:40]!r}"
        raise ValueError(message)
    return value


def _whole(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    least, most = WHOLE[name]
    is_whole = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    if not is_whole or not least <= int(text) <= most:
        message = f"{name} must be a whole number from {least} to {most}, got {text[:40]!r}"
        raise ValueError(message)
    return int(text)


def _check_names(environ: Mapping[str, str], name: str) -> None:
    text = environ.get(name, "")
    if not text:
        return
    group, words = _NAMES[name]
    allowed = words | {point.name for point in entry_points(group=group)}
    for one in (part.strip() for part in text.split(",")):
        if one not in allowed:
            message = f"{name} must be of {', '.join(sorted(allowed))}, got {one[:40]!r}"
            raise ValueError(message)
