"""Analyses as the API shows them."""

import json

from app.service.correlate.analyses import Analysis, said_of
from app.service.figures import Language
from app.web.shapes import Json, moment


def path(found: Analysis) -> str:
    """Where an analysis is."""
    return f"/api/v1/correlate/analyses/{found.id}"


def analysis(found: Analysis, language: Language) -> Json:
    """An analysis, with its answer in a language once it is done."""
    answers = json.loads(found.answer) if found.answer is not None else {}
    return {
        "id": found.id,
        "state": found.state,
        "question": said_of(found),
        "asked_at": moment(found.asked_at),
        "started_at": moment(found.started_at),
        "finished_at": moment(found.finished_at),
        "phase": found.phase if found.state == "running" else None,
        "progress_ratio": found.permille / 1000,
        "error": found.error,
        "url": path(found),
        "answer": answers.get(language),
    }
