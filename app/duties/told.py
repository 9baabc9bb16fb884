"""What duties tell of themselves, as counts of their process: totals that outlive it."""

import json
from collections.abc import Sequence
from typing import Final

from app.duties.duty import Duty
from app.service.process_counts import Source
from telemetry import metric_names as m

#: Field of a duty's state → the metric, and the result that it counts.
_COUNTED: Final = {
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


def counts_of(duties: Sequence[Duty]) -> Source:
    """The totals of these duties, whenever they are asked for; safe while they work."""
    told = [duty for duty in duties if duty.name in _COUNTED]

    def read() -> dict[tuple[str, str], int]:
        found = {}
        for duty in told:
            state = json.loads(duty.state())
            for field, (metric, result) in _COUNTED[duty.name].items():
                if isinstance(state.get(field), int):
                    labels = json.dumps({"result": result} if result else {})
                    found[metric.name, labels] = int(state[field])
        return found

    return read
