"""What makes spans in each process: resources, switches, and the pipeline of a worker child.

The resource of a live process names it (service.instance.id, host.name). The resource of spans made
from rows names none, so that whoever writes them writes the same bytes.
"""

import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final
from urllib.parse import unquote

from telemetry.names import (
    HOST_NAME,
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_ROWS,
    SERVICE_VERSION,
    SERVICE_WORKER,
)
from telemetry.pipeline import AttemptPipeline
from telemetry.standard_settings import is_sdk_disabled
from telemetry.values import AttributeValue, clean_attributes

_log: Final = logging.getLogger(__name__)


def is_enabled(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether spans are made at all: False with OTEL_SDK_DISABLED=true, said in one log line.

    Task spans are left off then too; whoever makes spans from rows asks here.
    """
    if not is_sdk_disabled(environ):
        return True
    _say_disabled()
    return False


@cache
def _say_disabled() -> None:
    _log.warning("OTEL_SDK_DISABLED is true: no spans are made, those of tasks included")


def row_resource(release: str) -> dict[str, AttributeValue]:
    """The resource of spans made from rows; `release` is the one that the row names."""
    return {SERVICE_NAME: SERVICE_ROWS, SERVICE_VERSION: release}


def process_resource(
    service: str,
    *,
    release: str,
    environ: Mapping[str, str] = os.environ,
    instance_id: str | None = None,
) -> dict[str, AttributeValue]:
    """The resource of this process; call it after the fork.

    Args:
        service: `names.SERVICE_WEB` or `names.SERVICE_WORKER`; OTEL_RESOURCE_ATTRIBUTES add to it
            what they will, but cannot rename it: what compares spans with rows knows it by name.
        release: Release of voxtrace.
        environ: Where OTEL_RESOURCE_ATTRIBUTES is read.
        instance_id: One start of one process; None takes this one's own.
    """
    return {
        HOST_NAME: socket.gethostname(),
        **resource_attributes(environ),
        SERVICE_NAME: service,
        SERVICE_VERSION: release,
        SERVICE_INSTANCE_ID: instance_id or process_instance_id(),
    }


@cache
def process_instance_id() -> str:
    """What this process is called on its spans and its log lines; a forked child has another."""
    return str(uuid.uuid4())


os.register_at_fork(after_in_child=process_instance_id.cache_clear)


def resource_attributes(environ: Mapping[str, str]) -> dict[str, AttributeValue]:
    """OTEL_RESOURCE_ATTRIBUTES: `key=value` pairs, values percent-encoded, clean.

    Raises:
        ValueError: A pair has no `=` or no key.
    """
    attributes: dict[str, str] = {}
    for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, equals, value = pair.partition("=")
        if not pair.strip():
            continue
        if not equals or not key.strip():
            message = f"OTEL_RESOURCE_ATTRIBUTES must be key=value pairs with commas between them, got {pair.strip()!r}"  # noqa: E501
            raise ValueError(message)
        attributes[key.strip()] = unquote(value.strip())
    return clean_attributes(attributes)


def worker_pipeline(
    *,
    release: str,
    environ: Mapping[str, str] = os.environ,
    instance_id: str | None = None,
    own_errors: tuple[type[BaseException], ...] = (),
    clock_ns: Callable[[], int] = time.time_ns,
) -> AttemptPipeline:
    """The pipeline of a worker child; make it in the child, once, and use it for every attempt.

    With OTEL_SDK_DISABLED it takes the same calls, and nothing comes of them.
    """
    resource = process_resource(
        SERVICE_WORKER, release=release, environ=environ, instance_id=instance_id
    )
    return AttemptPipeline(
        resource=resource,
        release=release,
        clock_ns=clock_ns,
        own_errors=own_errors,
        enabled=is_enabled(environ),
    )
