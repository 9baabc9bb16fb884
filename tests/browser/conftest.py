"""One service and one browser for all tests of the pages."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support import browser as browsers
from tests.support.browser import Visit
from tests.support.home import Home
from tests.support.pages import Library, wait_for_web

#: Opens a visitor; keyword arguments of `tests.support.browser.visit`.
Visiting = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser."""
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def service(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Web, worker and duties on one home; only where there is a browser."""
    del chromium
    path: Path = tmp_path_factory.mktemp("pages") / "home"
    with Home.make(path, VOXTRACE_WEB_PROCESSES="1", VOXTRACE_TASK_TIMEOUT_S="300") as home:
        web = home.start("web")
        home.start_duties()
        home.start_worker()
        wait_for_web(home, web)
        yield home


@pytest.fixture(scope="session")
def library(service: Home) -> Library:
    """Texts in several states, on the service."""
    return Library.fill(service)


@pytest.fixture
def visiting(chromium: Browser, service: Home) -> Visiting:
    """Opens visitors of the service."""
    return partial(browsers.visit, chromium, service.url)


@pytest.fixture
def visitor(visiting: Visiting) -> Iterator[Visit]:
    """A visitor with the defaults: English, light, wide, with scripts."""
    with visiting() as visit:
        yield visit


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Every test here needs a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)
