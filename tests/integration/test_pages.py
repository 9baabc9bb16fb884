"""The pages over HTTP, without a browser: addresses, languages, forms, static files."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from app.service import library, limits, task_list
from app.web.assets import static_url
from app.web.factory import create_app
from tests.support.home import Home
from tests.support.service import spoken, submitted

HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def client(home: Home) -> Iterator[FlaskClient]:
    """A client of an application on the home."""
    app = create_app(home.settings, home.core)
    with app.test_client() as client:
        yield client


@pytest.mark.parametrize(
    "path",
    ["/", "/audios", "/upload", "/monitor", "/tasks", "/failures", "/correlate", "/settings"],
)
def test_every_page_answers_on_an_empty_home(client: FlaskClient, path: str) -> None:
    """With nothing in the database every page answers, in both languages."""
    for lang, tag in (("en", "en"), ("zh", "zh-CN")):
        answer = client.get(f"{path}?lang={lang}", headers=HTML, follow_redirects=True)
        assert answer.status_code == 200
        assert f'<html lang="{tag}"' in answer.text


def test_language_is_told_by_the_browser_and_kept_by_the_address(client: FlaskClient) -> None:
    """Accept-Language decides, then ?lang=, which is remembered."""
    chinese = {"Accept-Language": "zh-TW,zh;q=0.9,en;q=0.5"}
    assert 'lang="zh-CN"' in client.get("/", headers=HTML | chinese).text
    assert "<h1>Library</h1>" in client.get("/?lang=en", headers=HTML | chinese).text
    assert "<h1>Library</h1>" in client.get("/", headers=HTML | chinese).text


def test_text_leads_to_its_task(home: Home, client: FlaskClient) -> None:
    """The old address by text leads to the task that answers for it; a missing one is 404."""
    task = spoken(home.core, "Hello there, this is spoken.")
    answer = client.get(f"/texts/{task.text_id}", headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/tasks/{task.id}")
    assert client.get("/texts/999", headers=HTML).status_code == 404


def test_error_page_tells_what_to_do(client: FlaskClient) -> None:
    """An error has a page with words, a way on and a reference, never only a code."""
    answer = client.get("/tasks/999", headers=HTML)
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert "The text or task may have been deleted" in answer.text
    assert "The text or task" not in client.get("/nowhere", headers=HTML).text
    assert "To the library" in answer.text
    assert "data-copy=" in answer.text


def test_titles_are_never_markup(home: Home, client: FlaskClient) -> None:
    """What a visitor names a text is shown as text on every page that shows it."""
    title = '<script>alert("1")</script> "quoted" & more'
    task = submitted(home.core, "Hello.", title=title).task
    for path in ("/", "/tasks", f"/tasks/{task.id}", "/monitor"):
        page = client.get(path, headers=HTML).text
        assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in client.get("/", headers=HTML).text


def test_old_query_parameters_mean_what_they_meant(home: Home, client: FlaskClient) -> None:
    """q, order, audio_filter and the failed filter choose texts in SQL; nonsense is left out."""
    spoken(home.core, "First text, spoken.", title="First")
    submitted(home.core, "Second text, waiting.", title="Second")
    assert _titles(client, "/?order=asc") == ["First", "Second"]
    assert _titles(client, "/") == ["Second", "First"]
    assert _titles(client, "/?audio_filter=generated") == ["First"]
    assert _titles(client, "/?audio_filter=not_generated") == ["Second"]
    assert _titles(client, "/?status=failed,timeout") == []
    assert _titles(client, "/?q=waiting") == ["Second"]
    assert _titles(client, "/?page=x&order=y&audio_filter=z&status=nonsense") == ["Second", "First"]


def _titles(client: FlaskClient, path: str) -> list[str]:
    page = client.get(path, headers=HTML).text
    return [part.partition("<")[0] for part in page.split("data-open>")[1:]]


def test_forms_act_without_scripts(home: Home, client: FlaskClient) -> None:
    """Cancel, retry, delete and restore are forms that lead on to where their effect is seen."""
    task = submitted(home.core, "Hello, cancel me.").task
    answer = client.post(f"/texts/{task.text_id}/cancel", headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/tasks/{task.id}")
    assert task_list.get(home.core, task.id).status == "cancelled"
    answer = client.post(f"/texts/{task.text_id}/retry", headers=HTML)
    assert answer.headers["Location"] == f"/tasks/{task.id + 1}"
    assert task_list.get(home.core, task.id + 1).source == "page"
    answer = client.post(f"/texts/{task.text_id}/delete", headers=HTML)
    assert answer.headers["Location"] == f"/?deleted={task.text_id}"
    assert "Hello, cancel me" not in client.get("/", headers=HTML).text
    client.post(f"/texts/{task.text_id}/restore", headers=HTML)
    assert library.get(home.core, task.text_id).text.deleted_at is None
    assert client.post(f"/texts/{task.text_id}/explode", headers=HTML).status_code == 404


def test_limit_form_checks_its_number(home: Home, client: FlaskClient) -> None:
    """The form changes the limit, and refuses what is no number in range."""
    assert client.post("/settings/limits", data={"max_concurrent": "7"}).status_code == 303
    assert limits.read(home.core).max_concurrent == 7
    for wrong in ("", "-1", "x", "1.5", "10001", "٣"):
        answer = client.post("/settings/limits", data={"max_concurrent": wrong}, headers=HTML)
        assert answer.status_code == 400, wrong
    assert limits.read(home.core).max_concurrent == 7


def test_static_files_are_kept_by_their_version(client: FlaskClient) -> None:
    """A file of this version may be kept for a year; one of another version may not."""
    with client.get(static_url("js/page.js")) as now:
        assert now.status_code == 200
        assert now.content_type.startswith("text/javascript")
        assert "immutable" in now.headers["Cache-Control"]
    with client.get("/static/0123456789/js/page.js") as old:
        assert old.status_code == 200
        assert old.headers["Cache-Control"] == "no-cache"
    for outside in ("/static/x/../words.py", "/static/x/%2e%2e/words.py", "/static/x/none.js"):
        with client.get(outside) as missing:
            assert missing.status_code == 404, outside


def test_pages_link_only_to_what_exists(client: FlaskClient) -> None:
    """Every address of the frame answers; every static file that a page names is there."""
    page = client.get("/", headers=HTML).text
    for part in page.split('href="')[1:]:
        path = part.partition('"')[0].replace("&amp;", "&")
        if path.startswith("/"):
            with client.get(path, headers=HTML, follow_redirects=True) as answer:
                assert answer.status_code == 200, path
