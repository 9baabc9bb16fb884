"""What duties tell of themselves, as counts of their process: totals that outlive it."""

import json
from collections.abc import Sequence

from app.duties.duty import Duty
from app.service.duty_counts import COUNTED
from app.service.process_counts import Source


def counts_of(duties: Sequence[Duty]) -> Source:
    """The totals of these duties, whenever they are asked for; safe while they work."""
    told = [duty for duty in duties if duty.name in COUNTED]

    def read() -> dict[tuple[str, str], int]:
        found = {}
        for duty in told:
            state = json.loads(duty.state())
            for field, (metric, result) in COUNTED[duty.name].items():
                if isinstance(state.get(field), int):
                    labels = json.dumps({"result": result} if result else {})
                    found[metric.name, labels] = int(state[field])
        return found

    return read
