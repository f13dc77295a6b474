"""A real server over a rehearsal store in a folder of its own, and Debian's Chromium in front of it.

The store is made once by `equipoise demo --no-serve` and copied for each server, so that no test sees what
another did. Servers listen on 127.0.0.1 on a free port and are ended by the fixture that started them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from served import VIEW, WAIT, Served, serve_copy

from demonstrated import made_once

expect.set_options(timeout=WAIT)


@pytest.fixture(scope="session")
def rehearsal_store(tmp_path_factory) -> Path:
    """The demonstration's store, made once."""
    return made_once(tmp_path_factory) / "store"


@pytest.fixture
def server(rehearsal_store, tmp_path) -> Iterator[Served]:
    """A server of this test alone."""
    yield from serve_copy(rehearsal_store, tmp_path)


@pytest.fixture(scope="module")
def shared_server(rehearsal_store, tmp_path_factory) -> Iterator[Served]:
    """A server for tests that only look."""
    yield from serve_copy(rehearsal_store, tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright, ended with each file: while it runs, its event loop makes Django's own tests think they are async."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright) -> Iterator[Browser]:
    """Chromium. EQUIPOISE_CHROMIUM names another than the one on the path."""
    path = os.environ.get("EQUIPOISE_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.fail("the browser tests need Chromium: run `make test-env`, or set EQUIPOISE_CHROMIUM")
    started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    yield started
    started.close()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A window in English in which nobody is signed in."""
    context = browser.new_context(viewport=VIEW, locale="en-GB")
    context.set_default_timeout(WAIT)
    yield context.new_page()
    context.close()
