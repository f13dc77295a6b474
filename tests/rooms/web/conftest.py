"""The pages over the samples' desk, asked by Django's own test client: no server, no browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from samples import FakeDesk

from doors import pages_of
from equipoise.web.settings import first_door


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Iterator[Path]:
    """Django set up for the first door; the folder of its accounts."""
    with pages_of(first_door(tmp_path_factory.mktemp("store"), FakeDesk())) as folder:
        yield folder


@pytest.fixture
def desk(pages) -> FakeDesk:
    """A fresh desk for one test."""
    from equipoise.pages.accounts.models import Account, Login

    Login.objects.all().delete()
    Account.objects.all().delete()
    fresh = FakeDesk()
    settings.DESK = fresh
    return fresh


@pytest.fixture
def anybody(desk):
    """A browser in which nobody is signed in."""
    from django.test import Client

    return Client(HTTP_HOST="127.0.0.1", HTTP_ACCEPT_LANGUAGE="en")


@pytest.fixture
def coordinator(anybody):
    """A browser in which the coordinator of site 01 is signed in."""
    answer = anybody.post("/enter", {"user": "u-crc", "role": "coordinator"})
    assert answer.status_code == 302
    return anybody
