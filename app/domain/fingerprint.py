"""Fingerprints of failures: the same cause gets the same key, in every worker and for ever.

A key is made from nothing but the failure itself, so it is the same wherever it is made. Its prefix
is the version of the rules: failures from before a change keep their key.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.causes.template import template_of

VERSION: Final = "v2"
#: Between frames in a row; no frame has it.
_BETWEEN: Final = ", "
#: Marks that the same part of a message may get by chance: an id may consist of digits only.
_ALIKE: Final = re.compile(r"<(?:id|hex|size|duration)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why something failed, as far as failures are told apart by it.

    Attributes:
        fingerprint: `v2:` and 16 hexadecimal digits: the key.
        template: The message with what varies replaced.
        frames: Own frames as `module:function`, the innermost first, with `, ` between.
    """

    fingerprint: str
    template: str
    frames: str


def cause_of(
    error_type: str, message: str, *, code: str | None = None, frames: Sequence[str] = ()
) -> Cause:
    """The cause of a failure.

    Args:
        error_type: What kind of error it is.
        message: What it says.
        code: The provider's code, where it has one.
        frames: Own frames, the innermost first (`app/domain/causes/frames.py`).
    """
    template, told = template_of(message), _BETWEEN.join(frames)
    parts = (error_type, code or "", _ALIKE.sub("<n>", template), told)
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).hexdigest()
    return Cause(fingerprint=f"{VERSION}:{digest}", template=template, frames=told)


def frames_of(told: str | None) -> tuple[str, ...]:
    """The frames of a row."""
    return tuple(told.split(_BETWEEN)) if told else ()
