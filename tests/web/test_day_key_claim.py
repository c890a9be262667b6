"""The privacy page says that keys are destroyed only where that can be said."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from microsite import credentials
from microsite.config import Config
from microsite.config import File
from microsite.services import build
from microsite.work import machines
from tests.postgres import Server
from tests.postgres import database_of
from tests.web.conftest import NO_CALENDARS
from tests.web.conftest import Pages

CLAIMS = {"": ("dimusnahkan", "dihapus paling lambat"), "/en": ("is destroyed", "deleted the day after")}


class WithKeyDatabase(Pages):
    """Pages whose day keys are in a database."""

    def __init__(self, instance: Path, keys: str) -> None:
        super().__init__(instance)
        self.services.close()
        file = File(calendars=NO_CALENDARS)
        environ = {**database_of(instance), "MICROSITE_KEYRING_URL": keys}
        config = Config(instance, file, credentials.read(file, environ, instance), 8000, configured=False)
        self.services = build(config, lambda: self.now)
        self.app.extensions["microsite"] = self.services


@pytest.fixture(name="guarded")
def _guarded(tmp_path: Path, postgres: Server) -> Iterator[WithKeyDatabase]:
    own = WithKeyDatabase(tmp_path / "instance", postgres.create())
    yield own
    own.close()


@pytest.mark.parametrize("prefix", CLAIMS)
def test_with_keys_in_the_folder_the_page_claims_it(pages: Pages, prefix: str) -> None:
    claim, less = CLAIMS[prefix]
    text = pages.get(f"{prefix}/sari/privacy").text
    assert claim in text and less not in text


@pytest.mark.parametrize("prefix", CLAIMS)
def test_with_keys_in_a_database_that_may_keep_copies_it_claims_less(guarded: WithKeyDatabase, prefix: str) -> None:
    claim, less = CLAIMS[prefix]
    assert guarded.services.sealer.key_doubts() == ("recycled",)
    text = guarded.get(f"{prefix}/sari/privacy").text
    assert claim not in text and less in text


def test_where_the_key_database_does_not_answer_nothing_is_claimed_and_nothing_is_booked(
    guarded: WithKeyDatabase, postgres: Server
) -> None:
    form = guarded.form()
    name = guarded.services.config.keyring_url.rsplit("/", 1)[1]
    guarded.services.sealer.keyring.close()  # type: ignore[attr-defined]
    postgres.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    assert not machines.keys_are_destroyed(guarded.services)
    assert guarded.send({**form, "name": "Budi", "email": "budi@example.com"}).status_code >= 500
    with guarded.services.store.read() as tx:
        assert tx.bookings.live("sari") == []
    postgres.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert guarded.send({**form, "name": "Budi", "email": "budi@example.com"}).status_code == 303
