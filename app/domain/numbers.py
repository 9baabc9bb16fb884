"""Numbers as callers send them: true and false are none, though Python counts with them."""

import math
from typing import TypeGuard


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether `value` is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether `value` is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)
