"""The webhook duty: tells whoever was named for it of findings that open and close."""

import json
from typing import Final

from app.domain.errors import VoxtraceError
from app.logs.logger import logger_of
from app.service.core import Core
from app.service.findings import webhook
from app.service.trouble import Trouble

log = logger_of(__name__)

#: Seconds between two looks at what is due; while there is more, the next one follows at once.
ROUND_S: Final = 1.0
SOON_S: Final = 0.02
#: Seconds between two turns where no webhook is set.
IDLE_S: Final = 30.0


class Webhook:
    """Calls VOXTRACE_WEBHOOK_URL, which is never shown, not even in an error.

    Args:
        core: What it works with.
    """

    name = "webhook"
    needs_leader = True

    def __init__(self, core: Core) -> None:
        self._core = core
        self._error: str | None = None
        self._trouble = Trouble(log, "the webhook")

    def step(self) -> float:
        """One delivery, or none."""
        if self._core.settings.webhook_url is None:
            return IDLE_S
        tried = webhook.send_next(self._core)
        if tried is None:
            return ROUND_S
        if tried.error is None:
            self._error = None
            self._trouble.over()
        else:
            self._error = tried.error
            self._trouble.failed(VoxtraceError(tried.error), advice="see VOXTRACE_WEBHOOK_URL")
        if tried.outcome == "given_up":
            log.error("a webhook was given up: nobody took it within a day", error=tried.error)
        return SOON_S

    def state(self) -> str:
        """Whether one is set, and what went wrong last, as JSON."""
        return json.dumps(
            {"is_set": self._core.settings.webhook_url is not None, "error": self._error}
        )
