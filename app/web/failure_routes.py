"""The pages of failures: groups, one group, what attempts have in common, two side by side."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from app.domain.errors import AskedError
from app.service.correlate import analyses
from app.service.correlate.analyses import Analysis
from app.service.correlate.question import asked
from app.service.failures import actions
from app.web import (
    compare_page,
    correlate_asking,
    correlate_view,
    failure_view,
    failures_page,
    frame,
    query_words,
)
from app.web.failure_words import group_path
from app.web.state import core
from app.web.visitor import Visitor


def register(blueprint: Blueprint) -> None:
    """Adds the routes to the pages' blueprint."""
    blueprint.get("/failures")(failures)
    blueprint.get("/failures/<fingerprint>")(failure)
    blueprint.post("/failures/<fingerprint>")(decide)
    blueprint.get("/correlate")(correlate)
    blueprint.get("/correlate/compare")(compare)
    blueprint.post("/correlate/analyses/<int:analysis_id>/cancel")(cancel)


def failures() -> tuple[str, HTTPStatus]:
    """Failure groups; of something wrong what is wrong."""
    found = frame.monitor_view().findings  # before the groups: the page then shows no less
    values = failures_page.values(core(), request.args, found, frame.visitor())
    status = HTTPStatus.BAD_REQUEST if values["fault"] else HTTPStatus.OK
    return render_template("failures.html", here="failures", **values), status


def failure(fingerprint: str) -> tuple[str, HTTPStatus]:
    """One failure group."""
    frame.monitor_view()
    return _group(fingerprint, None)


def _group(fingerprint: str, wrong: AskedError | None) -> tuple[str, HTTPStatus]:
    """The page of a group, with what is wrong with what was to be done; or asked for."""
    reader, args = frame.visitor(), request.args
    try:
        values = failure_view.values(core(), fingerprint, args, reader)
    except AskedError as error:
        wrong = error
        values = failure_view.values(core(), fingerprint, {}, reader)
    told = None if wrong is None else query_words.fault_of(wrong, "", reader.t, "failures").says
    page = render_template(
        "failure.html", here="failures", wrong=told, page_url=request.base_url, **values
    )
    return page, HTTPStatus.OK if wrong is None else HTTPStatus.BAD_REQUEST


def decide(fingerprint: str) -> tuple[str, HTTPStatus] | BaseResponse:
    """What a form decides about a group: its button, without scripts."""
    given = request.form.to_dict()
    try:
        what = actions.done(given.pop("action", ""), given)
        actions.act(core(), fingerprint, what)
    except AskedError as error:
        return _group(fingerprint, error)
    return redirect(group_path(fingerprint, **failure_view.window_of(request.args)), 303)


def correlate() -> tuple[str, HTTPStatus] | BaseResponse:
    """What attempts have in common; "so long ago" is sent on to the moment that it is now."""
    reader = frame.visitor()
    try:
        found = correlate_view.kept(request.args)
    except AskedError as error:
        values = correlate_view.with_fault(core(), request.args, error, reader)
        page = render_template("correlate.html", here="correlate", **values)
        return page, HTTPStatus.BAD_REQUEST
    if not correlate_view.is_kept(request.args, found):
        return _sent_on(found.path, reader)
    answered = correlate_view.analysis_of(core(), request.args, found) or correlate_asking.ask(
        asked(found.given)
    )
    if isinstance(answered, Analysis) and not request.args.get("analysis"):
        return _sent_on(correlate_view.analysis_path(answered), reader)
    values = correlate_view.values(core(), request.args, found, answered, reader)
    permalink = f"{request.host_url.rstrip('/')}{found.path}"
    page = render_template("correlate.html", here="correlate", permalink=permalink, **values)
    return page, HTTPStatus.OK


def _sent_on(path: str, reader: Visitor) -> BaseResponse:
    """To another address, in the language that this one names, if it names one."""
    return redirect(f"{path}&lang={reader.t.lang}" if "lang" in request.args else path)


def cancel(analysis_id: int) -> BaseResponse:
    """Stops a long analysis."""
    found = analyses.cancel(core(), analysis_id)
    return redirect(correlate_view.analysis_path(found), 303)


def compare() -> tuple[str, HTTPStatus]:
    """Two attempts side by side."""
    values = compare_page.values(core(), request.args, frame.visitor())
    status = HTTPStatus.BAD_REQUEST if values["fault"] else HTTPStatus.OK
    return render_template("compare.html", here="correlate", **values), status
