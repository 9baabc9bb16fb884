"""The error tree, and the four kinds that decide what happens next.

VoxtraceError
├── ConfigError
├── RequestError
│   ├── NotFoundError
│   ├── ConflictError
│   ├── TooLargeError
│   ├── AskedError
│   │   └── QueryError
│   └── BackupError
├── StoreError
│   ├── DatabaseBusyError
│   └── SchemaError
├── StorageError
├── EngineError
│   ├── EngineUnavailableError
│   ├── EngineRejectedError
│   ├── EngineCapacityError
│   ├── EngineTimeoutError
│   └── EngineCrashedError
├── AudioInvalidError
├── DeadlineExceededError
└── LeaseLostError

`kind` decides: `caller` (the request is wrong), `permanent` (trying again cannot help), `retryable`
(try again after a backoff), `capacity` (wait, it costs no try). `error_type` explains; it is the
value of `error.type` on spans and of the `error_type` column.
"""

from collections.abc import Mapping
from enum import StrEnum


class ErrorKind(StrEnum):
    """What an error means for the task that met it."""

    CALLER = "caller"
    PERMANENT = "permanent"
    RETRYABLE = "retryable"
    CAPACITY = "capacity"


class VoxtraceError(Exception):
    """Base of every error that voxtrace raises on purpose.

    Args:
        message: What was wrong, what was got, what is allowed. Never text content or a credential.
        error_type: Low-cardinality explanation (`error.type`); the class has a default.
        kind: What it means for the task; the class has a default.
    """

    error_type = "internal"
    kind = ErrorKind.PERMANENT

    def __init__(
        self, message: str, *, error_type: str | None = None, kind: ErrorKind | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        if error_type is not None:
            self.error_type = error_type
        if kind is not None:
            self.kind = kind


class ConfigError(VoxtraceError):
    """Settings are wrong; the program ends with exit code 2 at its start, never later.

    Args:
        problems: One line for each wrong setting.
    """

    error_type = "config"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RequestError(VoxtraceError):
    """The caller asked for something that is not possible; HTTP 400."""

    error_type = "validation_error"
    kind = ErrorKind.CALLER


class NotFoundError(RequestError):
    """What was asked for does not exist; HTTP 404."""

    error_type = "not_found"


class ConflictError(RequestError):
    """The request contradicts the present state; HTTP 409."""

    error_type = "conflict"


class TooLargeError(RequestError):
    """The input is above a limit; HTTP 413."""

    error_type = "too_large"


class AskedError(RequestError):
    """What is asked for cannot be, for a reason that pages have words for; HTTP 400.

    Args:
        message: As above.
        reason: A key of the words of what is asked for, in each language.
        values: What those words name.
    """

    def __init__(self, message: str, *, reason: str, values: Mapping[str, str | int]) -> None:
        super().__init__(message)
        self.reason = reason
        self.values = values


class QueryError(AskedError):
    """A filter of tasks is wrong at a place; HTTP 400.

    Args:
        message, reason, values: As above; reasons are keys of `app.domain.query.faults.WORDS`.
        position: Where it is wrong, in characters from 0.
        length: How many characters are wrong, at least one.
    """

    error_type = "invalid_query"

    def __init__(
        self,
        message: str,
        *,
        position: int,
        length: int,
        reason: str,
        values: Mapping[str, str | int],
    ) -> None:
        super().__init__(message, reason=reason, values=values)
        self.position = position
        self.length = length


class BackupError(RequestError):
    """A backup file cannot be used: truncated, changed, foreign, or of a later release."""

    error_type = "backup"


class StoreError(VoxtraceError):
    """The database failed; worth another try."""

    error_type = "storage_error"
    kind = ErrorKind.RETRYABLE


class DatabaseBusyError(StoreError):
    """The database is locked or unreachable for now."""

    error_type = "database_busy"


class SchemaError(StoreError):
    """The schema is not the one that this release needs."""

    error_type = "schema"
    kind = ErrorKind.PERMANENT


class StorageError(VoxtraceError):
    """Audio bytes could not be stored or read."""

    error_type = "storage_error"
    kind = ErrorKind.RETRYABLE


class EngineError(VoxtraceError):
    """A speech engine failed.

    Args:
        message: As above.
        code: The provider's own code, where it has one.
        retry_after_s: Seconds after which the engine asks to be tried again.
        request_id: The provider's id of the call, for its support.
        exit_signal: The signal that ended an engine host, where one did.
    """

    error_type = "engine_error"
    kind = ErrorKind.RETRYABLE

    def __init__(
        self,
        message: str,
        *,
        error_type: str | None = None,
        kind: ErrorKind | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
        exit_signal: int | None = None,
    ) -> None:
        super().__init__(message, error_type=error_type, kind=kind)
        self.code = code
        self.retry_after_s = retry_after_s
        self.request_id = request_id
        self.exit_signal = exit_signal


class EngineUnavailableError(EngineError):
    """The engine cannot be reached or started."""

    error_type = "engine_unavailable"


class EngineRejectedError(EngineError):
    """The engine refuses this input or these credentials; trying again cannot help."""

    error_type = "engine_rejected"
    kind = ErrorKind.PERMANENT


class EngineCapacityError(EngineError):
    """The engine's account has no room for now; waiting costs no try."""

    error_type = "engine_capacity"
    kind = ErrorKind.CAPACITY


class EngineTimeoutError(EngineError):
    """The engine did not answer within its own limit (not the task's deadline)."""

    error_type = "engine_timeout"


class EngineCrashedError(EngineError):
    """The engine host died (signal or exit code)."""

    error_type = "engine_crashed"


class AudioInvalidError(VoxtraceError):
    """The audio failed a check: undecodable, too short or long, silent, clipped."""

    error_type = "audio_invalid"
    kind = ErrorKind.RETRYABLE


class DeadlineExceededError(VoxtraceError):
    """The attempt's deadline passed."""

    error_type = "deadline_exceeded"


class LeaseLostError(VoxtraceError):
    """Someone else owns the task now: stop quietly and write nothing."""

    error_type = "lease_lost"
