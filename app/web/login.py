"""Log in with the token, and out again."""

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from app.web import security
from app.web.state import core

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def form() -> BaseResponse:
    """The form; straight on where no token is set."""
    wanted = security.local_path(request.args.get("next"))
    if security.has_token(core().settings.api_token):
        return redirect(wanted, 303)
    return _page(wanted, is_wrong=False)


@blueprint.post("/login")
def enter() -> BaseResponse:
    """Sets the cookie for the right token; the form again, with 401, for a wrong one."""
    wanted = security.local_path(request.form.get("next"))
    token = core().settings.api_token
    if token is None:
        return redirect(wanted, 303)
    if not security.is_token(request.form.get("token", "").strip(), token):
        return _page(wanted, is_wrong=True)
    response = redirect(wanted, 303)
    response.set_cookie(
        security.COOKIE,
        security.cookie_value(token),
        max_age=security.COOKIE_MAX_AGE_S,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return response


@blueprint.post("/logout")
def leave() -> BaseResponse:
    """Forgets the cookie."""
    response = redirect("/login", 303)
    response.delete_cookie(security.COOKIE, httponly=True, samesite="Lax")
    return response


def _page(wanted: str, *, is_wrong: bool) -> Response:
    body = render_template("login.html", next_path=wanted, is_wrong=is_wrong)
    return make_response(body, 401 if is_wrong else 200)
