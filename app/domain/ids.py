"""Ids as types of their own, so that one cannot be passed for another."""

from typing import NewType

#: Largest key that a BIGINT column holds.
MAX_KEY = 2**63 - 1

TextId = NewType("TextId", int)
TaskId = NewType("TaskId", int)
AudioId = NewType("AudioId", int)
SubmissionId = NewType("SubmissionId", int)
#: One start of one worker process (hex); a restarted worker has a new one under its old name.
WorkerId = NewType("WorkerId", str)
