"""The pages: each route parses, calls a read service and renders."""

import os
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from app.domain.audio import FORMATS
from app.domain.errors import NotFoundError, VoxtraceError
from app.service import library, limits, task_view, versions
from app.web import (
    attempts_page,
    engines,
    failure_routes,
    filters,
    frame,
    list_page,
    monitor_page,
    page_actions,
    page_values,
    stats_page,
    system_page,
    text_rows,
)
from app.web.state import core, state

blueprint = Blueprint("pages", __name__)
blueprint.record_once(lambda setup: frame.register(setup.app))
page_actions.register(blueprint)
failure_routes.register(blueprint)

#: Texts and audios on one page.
PAGE_SIZE = 20


@blueprint.get("/")
def texts() -> str:
    """The library: texts in every state."""
    reader = frame.visitor()
    wanted = filters.filter_of(request.args)
    view = frame.monitor_view()  # before the texts: the page then shows no less than it says
    found = library.page(
        core(), filters.library_filter(wanted), page=wanted.page, page_size=PAGE_SIZE
    )
    has_workers = any(worker.is_alive for worker in view.workers)
    return render_template(
        "library.html",
        here="library",
        page=found,
        items=[text_rows.text_row(item, reader, has_workers=has_workers) for item in found.items],
        filter=wanted,
        lede=page_values.library_lede(view.stats, reader.t),
        total=view.stats.total,
        write_link=page_values.link("/upload#content", reader.t("drop.write")),
    )


@blueprint.get("/audios")
def audios() -> str:
    """The audio library."""
    reader = frame.visitor()
    wanted = filters.filter_of(request.args)
    found = library.audio_page(
        core(),
        wanted.q,
        oldest_first=wanted.order == "asc",
        page=wanted.page,
        page_size=PAGE_SIZE,
    )
    return render_template(
        "audios.html",
        here="audios",
        page=found,
        items=[text_rows.audio_row(item, reader) for item in found.items],
        filter=wanted,
        lede=reader.t("audios.lede", n=found.total),
    )


@blueprint.get("/upload")
def upload() -> str:
    """The form for new texts."""
    t = frame.visitor().t
    return render_template(
        "upload.html",
        here="upload",
        engines=engines.offered(core()),
        engine_says=lambda engine: engines.says(engine, t),
        formats=tuple(FORMATS),
        encodings=page_values.ENCODINGS,
        choose_link=page_values.file_label(t("drop.choose")),
    )


@blueprint.get("/tasks/<int:task_id>")
def task(task_id: int) -> str:
    """One task."""
    view = task_view.task_view(core(), task_id)
    values = page_values.task_values(core(), view, frame.visitor(), request.args)
    return render_template("task.html", here="tasks", view=view, **values)


@blueprint.get("/tasks/<int:task_id>/trace")
def trace(task_id: int) -> str:
    """The part of a task's page that says where its trace is, asked of Jaeger now."""
    found = state().traces.look(task_id)
    return render_template("task/jaeger.html", found=found, task_id=task_id)


@blueprint.get("/texts/<int:text_id>")
def text(text_id: int) -> BaseResponse:
    """A text has no page of its own: the task that answers for it has."""
    found = library.head(core(), text_id)
    if found.task is None:
        message = f"text {text_id} has no task"
        raise NotFoundError(message)
    return redirect(f"/tasks/{found.task.id}")


@blueprint.get("/tasks")
def tasks() -> tuple[str, int]:
    """Tasks by a filter, in an order; a wrong filter is told beside the lists at hand."""
    frame.monitor_view()  # before the tasks: the page then shows no less than it says
    values = list_page.values(core(), request.args, frame.visitor())
    status = HTTPStatus.BAD_REQUEST if values["fault"] else HTTPStatus.OK
    return render_template("tasks.html", here="tasks", **values), status


@blueprint.get("/attempts")
def attempts() -> tuple[str, int]:
    """Attempts by a filter; a wrong one is told."""
    frame.monitor_view()  # before the attempts: the page then shows no less than it says
    values = attempts_page.values(core(), request.args, frame.visitor())
    status = HTTPStatus.BAD_REQUEST if values["fault"] else HTTPStatus.OK
    return render_template("attempts.html", here="tasks", **values), status


@blueprint.get("/stats")
def stats() -> tuple[str, HTTPStatus]:
    """Tasks counted and timed; of something wrong no numbers, but what is wrong."""
    values = stats_page.values(core(), request.args, frame.visitor())
    status = HTTPStatus.BAD_REQUEST if values["fault"] else HTTPStatus.OK
    return render_template("stats.html", here="stats", **values), status


@blueprint.get("/monitor")
def monitor() -> str:
    """Is it well?"""
    reader = frame.visitor()
    view = frame.monitor_view()
    return render_template(
        "monitor.html",
        here="monitor",
        view=view,
        **monitor_page.values(view, reader),
    )


@blueprint.get("/system")
def system() -> str:
    """Every part of the service, and what watches it; also while the database is away."""
    here = state()
    try:
        view = frame.monitor_view()
    except VoxtraceError:
        view = None
    web = system_page.WebProcess(
        pid=os.getpid(),
        held=here.holds.held,
        threads=here.core.settings.web_threads,
        processes=here.core.settings.web_processes,
    )
    return render_template(
        "system.html",
        here="system",
        **system_page.values(
            here.health.read(),
            view,
            versions.versions(here.core),
            web,
            frame.visitor(),
        ),
    )


@blueprint.get("/settings")
def settings() -> str:
    """The public part of the configuration, and what can be changed."""
    reader = frame.visitor()
    slots = frame.monitor_view().slots
    return render_template(
        "settings.html",
        here="settings",
        settings=page_values.setting_rows(core(), reader.t),
        engines=engines.offered(core()),
        engine_says=lambda engine: engines.says(engine, reader.t),
        limits_now=limits.read(core()),
        max_limit=limits.MAX_LIMIT,
        busy=slots.busy + slots.held_by_dead,
        languages=frame.switches(reader),
        has_login=core().settings.api_token is not None,
    )
