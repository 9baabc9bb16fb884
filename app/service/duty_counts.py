"""What duties count of themselves in their state, and the metric that each field is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from telemetry import metric_names as m
from telemetry.metric_names import Metric

#: Duty → field of its state → the metric, and the result that it counts ("" where it has none).
COUNTED: Final[Mapping[str, Mapping[str, tuple[Metric, str]]]] = MappingProxyType(
    {
        "forwarder": {
            "requests": (m.FORWARDER_REQUESTS, ""),
            "sent_spans": (m.FORWARDER_SENT_SPANS, ""),
            "rejected_spans": (m.FORWARDER_REJECTED_SPANS, ""),
            "resent_rows": (m.FORWARDER_RESENT_ROWS, ""),
        },
        "look-up": {
            "seen": (m.TRACE_LOOK_UPS, "seen"),
            "resent": (m.TRACE_LOOK_UPS, "resent"),
            "given_up": (m.TRACE_LOOK_UPS, "given_up"),
        },
    }
)
