"""Every page, in both languages and themes, wide and narrow: nothing to complain of."""

import re
import socket
from typing import Literal

import pytest

from tests.browser.conftest import Visiting
from tests.support.markup import faults
from tests.support.pages import Library

#: Latin words that a Chinese page says: names, commands, units, formats.
TECHNICAL = frozenset(
    {
        "UTF",
        "localhost",
        "Enter",
        "kHz",
        "pid",
        "API",
        "dB",
        "queue_expired",
        "login",
        "readyz",
        "Big5",
        "tone",
        "POST",
        "espeak",
        "HTTP",
        "JSON",
        "traceparent",
        "MB",
        "GB18030",
        "Bearer",
        "Jaeger",
        "TXT",
        "English",
        "healthz",
        "Markdown",
        "kB",
        "WAV",
        "SQLite",
        "SRT",
        "voxtrace",
        "FLAC",
        "Opus",
        "gunicorn",
        "VOXTRACE",
        "curl",
        "VTT",
        "MP3",
        "GET",
        "GB",
        "Space",
        "scripted",
        "Cookie",
        "UTC",
        "p50",
        "p95",
        "p99",
    }
)
#: What a page shows in Latin letters without it being a sentence: code, keys, names of things.
NOT_PROSE = (
    "script, style, template, noscript, code, kbd, .mono, [lang=en], option, .vh, .clip, .id,"
    " .choice strong, .who, .age, .sub, .brand, .under, .toasts, title"
)


def paths(library: Library) -> list[str]:
    """Every page that there is, a missing one, and the variants of the task page."""
    return [
        "/",
        "/?status=failed,timeout&q=slow",
        "/?q=nothing-is-called-this",
        "/audios",
        "/upload",
        "/monitor",
        "/stats",
        "/stats?by=worker&from=7d&query=engine%3Ascripted",
        "/system",
        "/tasks",
        "/tasks?status=failed",
        "/tasks?query=engine%3Atone+-voice%3Azh*+since%3A2d&sort=dur-asc",
        "/tasks?query=voice%3Anobody",
        "/attempts",
        "/attempts?q=outcome%3Afailure+-worker%3Aw9+since%3A2d",
        "/attempts?q=voice%3Anobody",
        "/failures",
        "/failures?text=nothing-is-called-this&state=muted",
        f"/failures/{library.group}",
        f"/failures/{library.group}?from=7d",
        "/correlate",
        "/correlate?query=engine%3Ascripted&within=-voice%3Anobody&from=2h",
        "/correlate?outcome=slow&from=1h",
        "/correlate?from=2001-01-01&to=2001-01-02",
        f"/correlate/compare?left={library.failed}.1&right={library.english}.1",
        "/settings",
        f"/tasks/{library.english}?tab=attempts&spans=all",
        f"/tasks/{library.chinese}",
        f"/tasks/{library.failed}",
        f"/tasks/{library.timeout}?tab=attempts",
        f"/tasks/{library.timeout}?tab=log",
        f"/tasks/{library.failed}?tab=log&level=warning&attempt=9",
        "/tasks/999999",
    ]


@pytest.mark.parametrize(
    ("lang", "theme", "width"),
    [("en", "light", 1400), ("zh", "dark", 380), ("en", "dark", 380), ("zh", "light", 1400)],
)
def test_pages_are_clean(
    visiting: Visiting,
    library: Library,
    lang: Literal["en", "zh"],
    theme: Literal["light", "dark"],
    width: int,
) -> None:
    """No page has wrong HTML, a console error, a CSP violation or a sideways scroll.

    Each is in its tongue.
    """
    with visiting(lang=lang, theme=theme, width=width) as visit:
        for path in paths(library):
            answer = visit.page.goto(path)
            assert answer is not None
            assert faults(answer.text()) == [], path
            assert visit.page.title().endswith("voxtrace"), path
            assert visit.page.get_attribute("html", "lang") == {"en": "en", "zh": "zh-CN"}[lang]
            beyond = visit.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert beyond <= 0, f"{path} is {beyond} px too wide at {width} px"
            ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert _is_dark(ground) == (theme == "dark"), path
            if lang == "zh":
                assert _english(visit.page.evaluate(_TEXTS, NOT_PROSE)) == [], path
        visit.forgive("404")


_TEXTS = """notProse => {
    const titles = [...document.querySelectorAll("[lang=en]")].map(node => node.textContent.trim());
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode;
        if (!node.parentElement.closest(notProse)) texts.push(node.textContent);
    }
    for (const node of document.querySelectorAll("[aria-label], [title], [placeholder]")) {
        if (node.closest(notProse)) continue;
        for (const name of ["aria-label", "title", "placeholder"]) {
            const isTold = node.hasAttribute(name) && node.tagName !== "TIME";
            if (isTold) texts.push(node.getAttribute(name));
        }
    }
    const bare = text => titles.reduce((left, title) => left.replaceAll(title, ""), text);
    return texts.map(bare);
}"""


def _english(texts: list[str]) -> list[str]:
    """Texts with Latin words that are not technical."""
    host = re.escape(socket.gethostname())
    names = re.compile(rf"VOXTRACE_[A-Z_]+|w1\b|{host}|127\.0\.0\.1\S*|/\S+")
    found = []
    for text in texts:
        words = re.findall(r"[A-Za-z][A-Za-z0-9_]+", names.sub("", text))
        if [word for word in words if word not in TECHNICAL]:
            found.append(text.strip())
    return found


def _is_dark(color: str) -> bool:
    return sum(int(part) for part in re.findall(r"\d+", color)[:3]) < 200
