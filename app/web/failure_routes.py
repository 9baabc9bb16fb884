"""The pages of failures: groups, one group, what attempts have in common, two side by side."""

from http import HTTPStatus

from flask import Blueprint, render_template, request

from app.web import compare_page, frame
from app.web.state import core


def register(blueprint: Blueprint) -> None:
    """Adds the routes to the pages' blueprint."""
    blueprint.get("/correlate/compare")(compare)


def compare() -> tuple[str, HTTPStatus]:
    """Two attempts side by side."""
    values = compare_page.values(core(), request.args, frame.visitor())
    status = HTTPStatus.BAD_REQUEST if values["fault"] else HTTPStatus.OK
    return render_template("compare.html", here="correlate", **values), status
