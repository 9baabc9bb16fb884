"""Standard variables of OpenTelemetry's SDK: checked by us, used as the specification says."""

from collections.abc import Mapping

import pytest
from opentelemetry.sdk.trace import TracerProvider

from telemetry.export import export_settings_from
from telemetry.sampler import sampler_from
from telemetry.standard_settings import (
    SAMPLERS,
    WHOLE,
    WORDS,
    batch_settings,
    check_standard,
    counts_sdk,
)

_SWITCH = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "0", "a whole number from 1 to 1000000, got '0'"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "x", "a whole number from 1 to 86400000, got 'x'"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "1_000", "a whole number"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "-1", "a whole number"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "at most OTEL_BSP_MAX_QUEUE_SIZE, 2048, got"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "1.5", "a whole number"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "many", "a whole number from 0"),
        ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "9" * 5000, "a whole number from 0"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote", "one of always_on, always_off"),
        ("OTEL_TRACES_SAMPLER_ARG", "2", "a number from 0 to 1, got '2'"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan", "a number from 0 to 1, got 'nan'"),
        (_SWITCH, "2", "one of true, false, got '2'"),
        ("OTEL_SDK_DISABLED", "yes", "one of true, false, got 'yes'"),
        ("OTEL_PROPAGATORS", "tracecontext,b9", "got 'b9'"),
        ("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "nobody", "got 'nobody'"),
        ("OTEL_PYTHON_CONTEXT", "nothing", "got 'nothing'"),
    ],
)
def test_wrong_value_names_its_variable(name: str, value: str, words: str) -> None:
    """Which variable, what is allowed, what was got; whatever signal is asked for."""
    with pytest.raises(ValueError, match=f"^{name} must be ") as raised:
        check_standard({name: value})
    assert words in str(raised.value)
    assert len(str(raised.value)) < 200
    with pytest.raises(ValueError, match=f"^{name} must be "):
        export_settings_from({name: value}, "logs")


@pytest.mark.parametrize("value", ["", " "])
def test_empty_value_counts_as_unset(value: str) -> None:
    """So says the specification."""
    environ = dict.fromkeys([*WORDS, *WHOLE, "OTEL_TRACES_SAMPLER_ARG"], value)
    check_standard(environ)
    assert batch_settings("BLRP", environ) == batch_settings("BLRP", {})
    assert counts_sdk({_SWITCH: value})
    assert not counts_sdk({_SWITCH: "False"})


@pytest.mark.parametrize(
    ("environ", "queue_size", "batch_size"),
    [
        ({}, 2048, 512),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "100"}, 100, 100),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "9", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "9"}, 9, 9),
        ({"OTEL_BLRP_MAX_QUEUE_SIZE": "100"}, 2048, 512),
    ],
)
def test_batch_is_no_larger_than_its_queue(
    environ: Mapping[str, str], queue_size: int, batch_size: int
) -> None:
    """A small queue alone is enough: the default of the batch follows it."""
    found = batch_settings("BSP", environ)
    assert (found.max_queue_size, found.max_export_batch_size) == (queue_size, batch_size)
    assert found.schedule_delay_ms == 5000


@pytest.mark.parametrize("name", [*SAMPLERS, ""])
def test_sampler_is_the_one_of_the_sdk(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the SDK itself would make of the same variables."""
    environ = {"OTEL_TRACES_SAMPLER_ARG": "0.25"} | ({"OTEL_TRACES_SAMPLER": name} if name else {})
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    expected = TracerProvider(shutdown_on_exit=False).sampler
    assert sampler_from(environ).get_description() == expected.get_description()
