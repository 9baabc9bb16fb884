"""What forms change: the buttons of the pages, for browsers without scripts."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from app.domain.errors import NotFoundError, RequestError
from app.service import cancel, library, limits
from app.service.core import Core
from app.web import accept
from app.web.state import core


def register(blueprint: Blueprint) -> None:
    """Adds the routes to the pages' blueprint."""
    blueprint.post("/texts/<int:text_id>/<action>")(act)
    blueprint.post("/settings/limits")(change_limits)


def _retry(_core: Core, text_id: int) -> str:
    return f"/tasks/{accept.retry_text(text_id, default_source='page').task.id}"


def _cancel(core: Core, text_id: int) -> str:
    return f"/tasks/{cancel.cancel_text(core, text_id).task.id}"


def _delete(core: Core, text_id: int) -> str:
    library.hide(core, text_id)
    return f"/?deleted={text_id}"


def _restore(core: Core, text_id: int) -> str:
    library.bring_back(core, text_id)
    return f"/texts/{text_id}"


#: What a form may do to a text; each returns where the browser goes next.
ACTIONS: Mapping[str, Callable[[Core, int], str]] = MappingProxyType(
    {"retry": _retry, "cancel": _cancel, "delete": _delete, "restore": _restore}
)


def act(text_id: int, action: str) -> BaseResponse:
    """Does one of `ACTIONS`."""
    if action not in ACTIONS:
        message = f"action {action[:20]!r} is none; allowed: {', '.join(ACTIONS)}"
        raise NotFoundError(message)
    return redirect(ACTIONS[action](core(), text_id), 303)


def change_limits() -> BaseResponse:
    """Changes the limit of tasks at once."""
    given = request.form.get("max_concurrent", "").strip()
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        allowed = f"a whole number from 0 to {limits.MAX_LIMIT}"
        message = f"max_concurrent must be {allowed}, got {given[:20]!r}"
        raise RequestError(message)
    limits.set_max_concurrent(core(), int(given))
    return redirect("/settings", 303)
