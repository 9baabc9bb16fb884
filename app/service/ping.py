"""Ping: calls a place outside while all is well; what matters is that it notices the silence.

Only silence says that something is wrong. An address of another kind ("…/fail") would be known by
some places and counted as a sign of life by others.
"""

from app.service import calling
from app.service.health import Health


def held_by(health: Health) -> list[str]:
    """The parts for whose sake it is not called: what is required, and the canary.

    A canary that is on, but has proven nothing yet, holds it too.
    """
    bad = [one.name for one in health.checks.values() if one.level == "bad" and one.is_required]
    canary = health.checks["canary"]
    return [*bad, "canary"] if canary.level in {"bad", "unknown"} else bad


def call(url: str, *, within_s: float = calling.TOTAL_S) -> str | None:
    """Calls the address once: a GET, which must be answered with 2xx.

    Args:
        url: The address.
        within_s: Seconds after which it is cut, however busily it answers.

    Returns:
        None where it was accepted; else why not, in words without the address, which is a secret.
    """
    return calling.call(url, within_s=within_s).error
