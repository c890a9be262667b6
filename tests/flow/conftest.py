"""Hands for the whole journeys: a visitor, the coach's calendar app, the mailbox; all over a running site."""

from collections.abc import Iterator

import pytest

from tests.conftest import Site
from tests.flow.coach import CalendarApp
from tests.flow.coach import Mailbox
from tests.flow.visitor import Visitor


@pytest.fixture(name="visitor")
def _visitor(site: Site) -> Visitor:
    """A visitor of the shared site with an empty browser."""
    return Visitor(site.base)


@pytest.fixture(name="app")
def _app(site: Site) -> Iterator[CalendarApp]:
    """The demo coach's calendar app."""
    own = CalendarApp.of(site.welcome)
    yield own
    own.close()


@pytest.fixture(name="mailbox")
def _mailbox(site: Site) -> Mailbox:
    """The demo's outgoing mail."""
    return Mailbox(site.instance / "mail")
