"""A real Chromium for tests of the pages, which notes everything that a page complains of."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
)
#: Milliseconds that anything in a page may take; the machine may be busy.
PATIENCE_MS: Final = 20_000


@dataclass(slots=True)
class Visit:
    """A visitor with an empty cookie jar, and what went wrong in their pages."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Notes errors of scripts, of the console (the CSP's too) and of the server."""
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda told: (
                self.complaints.append(f"{page.url}: {told.text}")
                if told.type in {"error", "warning"}
                else None
            ),
        )
        page.on(
            "response",
            lambda answer: (
                self.complaints.append(f"{answer.status} {answer.url}")
                if answer.status >= 500
                else None
            ),
        )

    def forgive(self, part: str) -> None:
        """Takes back complaints that a test has caused on purpose."""
        self.complaints[:] = [told for told in self.complaints if part not in told]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; the test is skipped, loudly, where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"NO BROWSER: {CHROMIUM} is missing, the pages are not tested here")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(
    browser: Browser,
    base_url: str,
    *,
    lang: Literal["en", "zh"] = "en",
    theme: Literal["light", "dark"] = "light",
    width: int = 1400,
    scripts: bool = True,
) -> Iterator[Visit]:
    """A visitor; fails at the end where any page has complained."""
    context = browser.new_context(
        base_url=base_url,
        locale={"en": "en-US", "zh": "zh-CN"}[lang],
        color_scheme=theme,
        viewport={"width": width, "height": 900},
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    made = Visit(context, page)
    made.listen(page)
    try:
        yield made
    finally:
        context.close()
    assert not made.complaints, "\n".join(made.complaints)


def drop_files(page: Page, selector: str, files: Sequence[tuple[str, str]]) -> None:
    """Drops files (name, content) on an element, as a person does with the mouse."""
    transfer = page.evaluate_handle(
        """files => {
            const transfer = new DataTransfer();
            for (const [name, content] of files) {
                const type = name.endsWith(".pdf") ? "application/pdf" : "text/plain";
                transfer.items.add(new File([content], name, {type}));
            }
            return transfer;
        }""",
        [list(file) for file in files],
    )
    for kind in ("dragenter", "dragover", "drop"):
        page.dispatch_event(selector, kind, {"dataTransfer": transfer})
