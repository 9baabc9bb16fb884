"""Samplers: what OTEL_TRACES_SAMPLER says, and one that hides nothing from our own processors."""

from collections.abc import Mapping, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes
from typing_extensions import override

from telemetry.standard_settings import sampler_name, sampler_ratio


def sampler_from(environ: Mapping[str, str]) -> Sampler:
    """The sampler of OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG.

    Raises:
        ValueError: A value is not allowed.
    """
    name = sampler_name(environ)
    sampler: Sampler
    match name.removeprefix("parentbased_"):
        case "always_on":
            sampler = ALWAYS_ON
        case "always_off":
            sampler = ALWAYS_OFF
        case _:
            sampler = TraceIdRatioBased(sampler_ratio(environ))
    return ParentBased(sampler) if name.startswith("parentbased_") else sampler


class RecordAnyway(Sampler):
    """Another sampler's decision, but that what it drops is still recorded (and not sampled).

    The SDK's own exporting skips such spans; our processor sees them.
    """

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    @override
    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        result = self._sampler.should_sample(
            parent_context, trace_id, name, kind, attributes, links
        )
        if result.decision is not Decision.DROP:
            return result
        return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)

    @override
    def get_description(self) -> str:
        return f"RecordAnyway({self._sampler.get_description()})"
