"""Who may ask, over HTTP: token, cookie, hosts, origins; and the headers of every answer."""

from collections.abc import Iterator

import pytest

from app.web.security import COOKIE
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home
from tests.support.service import spoken

TOKEN = "a-secret-token-of-tests"  # noqa: S105 - of this test
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PAGE = {"Accept": "text/html"}


@pytest.fixture
def client(home: Home) -> Iterator[DocumentedClient]:
    """A client of an application without a token."""
    with web_client(home.settings) as made:
        yield made


@pytest.fixture
def guarded(home: Home) -> Iterator[DocumentedClient]:
    """A client of an application with a token."""
    home.environ["VOXTRACE_API_TOKEN"] = TOKEN
    with web_client(home.settings) as made:
        yield made


def test_every_route_but_health_and_login_needs_the_token(guarded: DocumentedClient) -> None:
    """All routes there are, asked without a token, answer 401 (or lead a browser to /login)."""
    opened = {"/healthz": 200, "/readyz": 503, "/login": 200}
    for rule in guarded.application.url_map.iter_rules():
        path = rule.rule
        for part in ("int:text_id", "int:task_id", "int:audio_id"):
            path = path.replace(f"<{part}>", "1")
        path = path.replace("<any(srt, vtt):fmt>", "srt").replace("<path:filename>", "x.css")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = guarded.open(path, method=method, buffered=True)
            if rule.endpoint == "static" or path == "/login":
                assert answer.status_code != 401 or method == "POST", path
            else:
                assert answer.status_code == opened.get(path, 401), (method, path)


def test_token_opens_and_a_wrong_one_does_not(guarded: DocumentedClient) -> None:
    """The token as Bearer, in any case of the word; 401 with a challenge for anything else."""
    assert guarded.get("/api/v1/limits", headers=BEARER).status_code == 200
    lower = {"Authorization": f"bearer {TOKEN}"}
    assert guarded.get("/api/monitor/stats", headers=lower).status_code == 200
    for wrong in ("", f"Bearer {TOKEN}x", "Bearer", f"Basic {TOKEN}", "Bearer tökén"):
        answer = guarded.get("/api/v1/limits", headers={"Authorization": wrong})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_login_remembers_by_a_cookie_and_logout_forgets(guarded: DocumentedClient) -> None:
    """A browser is led to /login and back, with an HttpOnly SameSite=Lax cookie, and out again."""
    led = guarded.get("/monitor?x=1", headers=PAGE)
    assert (led.status_code, led.headers["Location"]) == (302, "/login?next=/monitor%3Fx%3D1")
    wrong = guarded.post("/login", data={"token": "wrong", "next": "/monitor"})
    assert wrong.status_code == 401
    right = guarded.post("/login", data={"token": TOKEN, "next": "/monitor"})
    assert (right.status_code, right.headers["Location"]) == (303, "/monitor")
    cookie = right.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert TOKEN not in cookie
    assert guarded.get("/api/v1/limits").status_code == 200
    assert guarded.get("/login?next=//evil.com").headers["Location"] == "/"
    guarded.post("/logout")
    assert guarded.get_cookie(COOKIE) is None
    assert guarded.get("/api/v1/limits").status_code == 401


def test_open_legacy_routes_open_nothing_else(home: Home) -> None:
    """VOXTRACE_LEGACY_OPEN exempts the old routes and the files that they name, only."""
    task = spoken(home.core, "Hi.")
    home.environ |= {"VOXTRACE_API_TOKEN": TOKEN, "VOXTRACE_LEGACY_OPEN": "1"}
    with web_client(home.settings) as client:
        told = client.get(f"/api/task/status/{task.text_id}")
        assert told.status_code == 200
        assert client.get((told.json or {})["audio_url"], buffered=True).status_code == 200
        assert client.post("/upload", json={"content": "x"}).status_code == 200
        for path in ("/api/v1/tasks", f"/api/v1/audio/{task.audio_id}", "/api/v1/settings"):
            assert client.get(path).status_code == 401


def test_unknown_hosts_are_refused(home: Home) -> None:
    """A name that somebody points at this machine gets 403, also on the health routes."""
    home.environ["VOXTRACE_HOSTS"] = "tts.example.com"
    with web_client(home.settings) as client:
        for host in ("localhost", "127.0.0.1:8082", "[::1]:1", "TTS.example.com"):
            assert client.get("/healthz", headers={"Host": host}).status_code == 200
        for host in ("evil.com", "localhost.evil.com", "169.254.169.254"):
            assert client.get("/healthz", headers={"Host": host}).status_code == 403


def test_foreign_pages_change_nothing(client: DocumentedClient) -> None:
    """Writes with a foreign Origin or from another site get 403; reads and our own pages go on."""
    body = {"content": "x"}
    for headers in (
        {"Origin": "http://evil.com"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert client.post("/upload", json=body, headers=headers).status_code == 403
        assert client.delete("/api/v1/texts/1", headers=headers).status_code == 403
        assert client.get("/api/v1/limits", headers=headers).status_code == 200
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    answer = client.post("/api/v1/texts", json=body | {"engine": "tone"}, headers=own)
    assert answer.status_code == 201
    assert (answer.json or {})["task"]["source"] == "page"
    monitor = client.get("/api/v1/monitor").json or {}
    assert monitor["stats"]["total"] == 1


def test_every_answer_carries_the_headers(client: DocumentedClient) -> None:
    """Pages, data, errors and files: strict CSP without inline code, nosniff, same-origin."""
    for path in ("/", "/healthz", "/api/v1/limits", "/api/v1/nope", "/nope", "/api/nope"):
        headers = client.get(path, headers=PAGE, buffered=True).headers
        csp = headers["Content-Security-Policy"]
        assert csp.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in csp
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"]


def test_errors_have_the_shape_of_their_side(client: DocumentedClient) -> None:
    """problem+json for v1, the old JSON for the old routes, a page for browsers, text for curl."""
    assert client.get("/api/v1/nope").mimetype == "application/problem+json"
    old = client.get("/api/nope")
    assert (old.mimetype, (old.json or {})["success"]) == ("application/json", False)
    page = client.get("/nope", headers=PAGE)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    plain = client.get("/nope")
    assert (plain.status_code, plain.mimetype) == (404, "text/plain")
    wrong = client.put("/api/v1/texts")
    assert (wrong.status_code, wrong.mimetype) == (405, "application/problem+json")
    assert "POST" in wrong.headers["Allow"]


def test_unforeseen_error_is_told_by_its_reference_alone(client: DocumentedClient) -> None:
    """What nobody foresaw gets 500 with a reference; its words stay in the log."""

    def fail() -> str:
        message = "a secret of the program"
        raise RuntimeError(message)

    client.application.add_url_rule("/api/v1/fail", "fail", fail)
    client.application.add_url_rule("/fail", "fail_page", fail)
    answer = client.get("/api/v1/fail")
    assert answer.status_code == 500
    told = answer.json or {}
    assert told["error_type"] == "internal"
    assert len(told["trace_id"]) == 32
    page = client.get("/fail", headers=PAGE)
    assert page.status_code == 500
    assert "secret" not in answer.text + page.text
