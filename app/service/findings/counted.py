"""Names of the counts of findings and of the webhook, which never fall."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: Findings that were ever opened.
OPENED: Final = "findings_opened"
#: Calls of the webhook by how they went.
CALLS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "delivered": "webhook.delivered",
        "failed": "webhook.failed",
        "given_up": "webhook.given_up",
    }
)
