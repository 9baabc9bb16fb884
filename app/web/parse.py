"""What callers send, checked: JSON objects and query parameters; errors name the field."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from app.domain.errors import RequestError

#: What JSON calls its types, for error messages.
_KINDS: Final[Mapping[type, str]] = MappingProxyType(
    {
        str: "a string",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        dict: "an object",
        list: "a list",
        type(None): "null",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A member of a JSON object.

    Attributes:
        kinds: Types that it may have; null is allowed for every optional one.
        is_required: Whether it must be there.
    """

    kinds: tuple[type, ...]
    is_required: bool = False

    @property
    def words(self) -> str:
        """What is allowed, in words."""
        return " or ".join(_KINDS[kind] for kind in self.kinds)


TEXT: Final = Field(kinds=(str,))
NUMBER: Final = Field(kinds=(int, float))
WHOLE: Final = Field(kinds=(int,))
FLAG: Final = Field(kinds=(bool,))
OBJECT: Final = Field(kinds=(dict,))


def json_object(fields: Mapping[str, Field], *, is_optional: bool = False) -> dict[str, Any]:
    """The members of the request's JSON object; absent and null ones are left out.

    Args:
        fields: What may be there.
        is_optional: Whether the request may have no body at all.

    Raises:
        RequestError: No object, an unknown member, a missing one, or one of another type.
        UnsupportedMediaType: The body is something else than JSON.
    """
    if is_optional and not request.content_length and not request.is_json:
        return {}
    if not request.is_json:
        message = f"content type must be application/json, got {request.mimetype[:60] or 'none'!r}"
        raise UnsupportedMediaType(message)
    value = _decoded()
    if not isinstance(value, dict):
        message = f"the body must be a JSON object, got {_kind(value)}"
        raise RequestError(message)
    for name in value:
        if name not in fields:
            message = f"field {name[:40]!r} is not known; allowed: {', '.join(fields)}"
            raise RequestError(message)
    for name, field in fields.items():
        _check(name, field, value)
    return {name: member for name, member in value.items() if member is not None}


def _decoded() -> Any:
    raw = request.get_data(cache=True)
    if not raw:
        message = "the body is empty; send a JSON object"
        raise RequestError(message)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        message = f"the body ({len(raw)} bytes) is not valid JSON in UTF-8"
        raise RequestError(message) from error


def _check(name: str, field: Field, value: Mapping[str, Any]) -> None:
    member = value.get(name)
    if member is None:
        if field.is_required:
            message = f"field {name!r} is missing; it must be {field.words}"
            raise RequestError(message)
        return
    is_bool = isinstance(member, bool)
    if not isinstance(member, field.kinds) or (is_bool and bool not in field.kinds):
        message = f"field {name!r} must be {field.words}, got {_kind(member)}"
        raise RequestError(message)


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "something else")


def whole_arg(name: str, default: int | None, *, low: int, high: int) -> int | None:
    """A query parameter that is a whole number in a range.

    Raises:
        RequestError: It is something else.
    """
    text = request.args.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"\d{1,18}", text) or not low <= int(text) <= high:
        message = f"{name} must be a whole number from {low} to {high}, got {text[:40]!r}"
        raise RequestError(message)
    return int(text)


def choice_arg(name: str, allowed: Mapping[str, Any], default: str) -> Any:
    """What a query parameter's word stands for.

    Raises:
        RequestError: A word that is not in `allowed`.
    """
    word = request.args.get(name, "").strip() or default
    if word not in allowed:
        message = f"{name} must be one of {', '.join(allowed)}, got {word[:40]!r}"
        raise RequestError(message)
    return allowed[word]


def known_args(*names: str) -> None:
    """Raises RequestError for a query parameter that is none of these."""
    for name in request.args:
        if name not in names:
            message = f"parameter {name[:40]!r} is not known; allowed: {', '.join(names) or 'none'}"
            raise RequestError(message)
