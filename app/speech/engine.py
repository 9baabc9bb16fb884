"""The border to speech engines: what one can do, what it is asked, what it gives back."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from app.domain.audio import spoken_units
from app.domain.errors import EngineRejectedError

Attribute = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A voice that can be asked for by its id.

    Args:
        id: What requests and rows call it.
        name: For people.
        languages: BCP 47 tags, the main one first; empty means any.
        gender: None where nobody says.
    """

    id: str
    name: str
    languages: tuple[str, ...] = ()
    gender: Literal["female", "male"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A number that tunes an engine: allowed from `minimum` to `maximum`."""

    minimum: float
    default: float
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an engine can do.

    Args:
        sample_rates: Hz, the preferred one first.
        max_units: Longest request, in spoken units (`app.domain.audio.spoken_units`).
        languages: BCP 47 tags; None means any.
        marks: Which marks chunks carry.
        speaks_mixed_scripts: Whether one request may mix Chinese, Latin and other scripts.
        is_deterministic: Whether the same request gives the same bytes.
        is_offline: Whether it works without a network.
        isolation: `process` where speech is made in an engine host that can die without harm.
        max_concurrency: Requests at a time over the whole system; None means no limit of its own.
        params: By name.
    """

    sample_rates: tuple[int, ...]
    max_units: float
    languages: tuple[str, ...] | None = None
    marks: frozenset[str] = frozenset()
    speaks_mixed_scripts: bool = False
    is_deterministic: bool = False
    is_offline: bool = False
    isolation: Literal["none", "process"] = "none"
    max_concurrency: int | None = None
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRequest:
    """One segment to speak.

    Args:
        text: Has at least one letter or digit; a segment without is a pause and is not asked for.
        voice: A voice's id; "" means the engine's default, the first of `voices()`.
        language: BCP 47; "" means that the engine decides by the text.
        params: Values for `Capabilities.params`; a missing one has its default.
        sample_rate: Hz, one of the engine's.
        context: The text just before, for engines whose melody depends on it.
    """

    text: str
    voice: str = ""
    language: str = ""
    params: Mapping[str, float] = field(default_factory=dict)
    sample_rate: int
    context: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The moment at which a word or a sentence starts.

    Args:
        kind: What starts.
        start: Offset of its first character in the request's text.
        end: Offset after its last.
        at_ms: From the start of the segment's PCM.
    """

    kind: Literal["word", "sentence"]
    start: int
    end: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some audio: signed 16-bit little-endian mono PCM, and marks (not only of this chunk)."""

    pcm: bytes
    marks: tuple[Mark, ...] = ()


class Scope(Protocol):
    """What an attempt hands to an engine: its deadline, its stop signal, its span."""

    @property
    def deadline_s(self) -> float:
        """The attempt's deadline on the clock of `app.clock.monotonic_s`; may be infinite."""
        ...

    @property
    def attempt(self) -> int:
        """Number of the attempt, from 1."""
        ...

    def check(self) -> None:
        """Raises DeadlineExceededError or LeaseLostError; an engine calls it every 0.1 s."""
        ...

    def event(self, name: str, **attributes: Attribute) -> None:
        """Notes something on the attempt's span; never text content."""
        ...

    def checkpoint(self, token: str | None) -> str | None:
        """Keeps `token` (a provider's job id) over the death of the worker; returns the kept one.

        None keeps nothing and only reads.
        """
        ...


@runtime_checkable
class Engine(Protocol):
    """A speech engine. Loading one is cheap: no library, child or network before the first use."""

    @property
    def name(self) -> str:
        """What requests and rows call it."""
        ...

    @property
    def version(self) -> str:
        """Part of the content key: it changes when the same request would sound different."""
        ...

    def capabilities(self) -> Capabilities:
        """What it can do. Cheap."""
        ...

    def voices(self) -> Sequence[Voice]:
        """Its voices, the default first. Cheap enough for a web request."""
        ...

    def open(
        self, request: SegmentRequest, scope: Scope
    ) -> AbstractContextManager[Iterator[Chunk]]:
        """Starts to speak; leaving the context stops at once, however much was read.

        Raises:
            EngineError: One of its classes; wrong requests raise EngineRejectedError.
            DeadlineExceededError, LeaseLostError: From `scope`.
        """
        ...

    def probe(self) -> dict[str, Attribute]:
        """Whether it works now: `ok`, and `error_type` and `error` where not. Never raises."""
        ...

    def close(self) -> None:
        """Frees what it holds; it may be used again after."""
        ...


def require_supported(request: SegmentRequest, engine: Engine) -> None:
    """Raises EngineRejectedError where `request` is outside the engine's capabilities."""
    able = engine.capabilities()
    if request.sample_rate not in able.sample_rates:
        allowed = ", ".join(str(rate) for rate in able.sample_rates)
        message = f"{engine.name}: sample_rate must be {allowed}, got {request.sample_rate}"
        raise EngineRejectedError(message)
    units = spoken_units(request.text)
    if units > able.max_units:
        message = f"{engine.name}: a request has at most {able.max_units:g} units, got {units:g}"
        raise EngineRejectedError(message)
    for name, value in request.params.items():
        param = able.params.get(name)
        if param is None:
            allowed = ", ".join(able.params) or "none"
            message = f"{engine.name}: unknown parameter {name[:40]!r}; allowed: {allowed}"
            raise EngineRejectedError(message)
        if not param.minimum <= value <= param.maximum:
            message = (
                f"{engine.name}: {name} must be between {param.minimum:g} and "
                f"{param.maximum:g}, got {value:g}"
            )
            raise EngineRejectedError(message)


def param_value(request: SegmentRequest, engine: Engine, name: str) -> float:
    """The value that `request` gives to a parameter, or its default."""
    return request.params.get(name, engine.capabilities().params[name].default)
