"""Causes: why a canary ended as it did, as one word and in words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a canary waits or ended.

    Attributes:
        code: One word, which the pages have in every language.
        words: The same with its numbers, in English.
        is_fault: False where nothing is wrong: it ends without a verdict.
    """

    code: str
    words: str
    is_fault: bool = True
