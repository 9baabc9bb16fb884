"""The language of sentences in an answer of the API."""

from typing import Final

from flask import request

from app.service.figures import LANGUAGES, Language
from app.web import parse

#: The parameter that names it.
PARAMETER: Final = "lang"


def asked() -> Language:
    """The language that `lang` names, else the best that the client accepts, else English.

    Raises:
        RequestError: `lang` is no language that is spoken here.
    """
    best = request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
    language: Language = parse.choice_arg(PARAMETER, {one: one for one in LANGUAGES}, best)
    return language
