"""One real server and one browser for all tests of pages."""

from __future__ import annotations

import pytest
import shelf
from browser import chromium


@pytest.fixture(scope="session")
def shelved(tmp_path_factory):
    """The server."""
    with shelf.shelved(tmp_path_factory.mktemp("pages")) as running:
        yield running


@pytest.fixture(scope="session")
def browser():
    """The browser."""
    with chromium() as running:
        yield running
