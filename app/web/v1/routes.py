"""The blueprints of the v1 API."""

from app.web.v1 import (
    attempts,
    audio,
    compare,
    correlate,
    document,
    engines,
    failures,
    findings,
    limits,
    monitor,
    stats,
    tasks,
    texts,
)

BLUEPRINTS = (
    texts.blueprint,
    tasks.blueprint,
    attempts.blueprint,
    audio.blueprint,
    engines.blueprint,
    limits.blueprint,
    monitor.blueprint,
    stats.blueprint,
    failures.blueprint,
    compare.blueprint,
    correlate.blueprint,
    findings.blueprint,
    document.blueprint,
)
