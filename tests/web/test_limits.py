"""The brakes: what is counted, for whom, what somebody reads who meets one, and that looking is free."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from microsite.config import File
from microsite.config import Limits
from microsite.errors import SettingsError
from microsite.web import limits
from tests.waiting import wait_until

from .conftest import NO_CALENDARS
from .conftest import Pages
from .test_visitor import state

FEW = Limits(bookings="2 per hour", tokens="3 per minute", sign_ins="2 per hour", trusted_proxies=1)


def from_address(address: str) -> dict[str, str]:
    """What our proxy writes for a visitor."""
    return {"X-Forwarded-For": address}


@pytest.fixture(name="braked")
def _braked(tmp_path: Path) -> Iterator[Pages]:
    """A house with narrow limits behind one proxy."""
    own = Pages(tmp_path / "braked", File(calendars=NO_CALENDARS, limits=FEW))
    yield own
    own.close()


def test_guessing_at_links_is_told_when_to_come_back(braked: Pages) -> None:
    seen = [braked.get(path).status_code for path in ("/m/a", "/status/b", "/m/c/feed.ics", "/m/d")]
    assert seen == [404, 404, 404, 429]
    answer = braked.get("/manage")
    assert (answer.status_code, state(answer.text)) == (429, "too-many")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert re.search(r"Coba lagi \d menit lagi", answer.text)


def test_links_that_open_something_are_never_counted(braked: Pages) -> None:
    link = braked.book()
    for _ in range(5):
        assert braked.get(link).status_code == 303
        assert braked.get("/manage").status_code == 200


def test_choosing_a_time_has_no_limit(braked: Pages) -> None:
    for _ in range(4):
        braked.get("/m/x")
    for path in ("/", "/sari/", "/sari/sesi/", "/sari/sesi/book?slot=20261125T010000Z", "/sari/privacy"):
        assert [braked.get(path).status_code for _ in range(5)] == [200] * 5, path


def test_only_bookings_that_were_made_count_and_nothing_typed_is_lost(braked: Pages) -> None:
    for _ in range(5):
        assert braked.send({**braked.form(), "name": "", "email": "x"}).status_code == 422
    braked.book()
    braked.book()
    answer = braked.send({**braked.form(), "name": "Budi", "email": "budi@example.com", "note": "halo"})
    assert (answer.status_code, state(answer.text)) == (429, "form")
    assert braked.fields(answer)["name"] == "Budi"
    assert braked.fields(answer)["note"] == "halo"
    assert int(answer.headers["Retry-After"]) > 60
    assert "Jeda sebentar" in answer.text


def test_another_network_is_not_braked_and_the_same_household_is(braked: Pages) -> None:
    for _ in range(4):
        braked.get("/m/x", headers=from_address("2001:db8:1:2::1"))
    assert braked.get("/m/x", headers=from_address("2001:db8:1:2:ffff::9")).status_code == 429
    assert braked.get("/m/x", headers=from_address("2001:db8:1:3::1")).status_code == 404
    assert braked.get("/m/x", headers=from_address("198.51.100.7")).status_code == 404


def test_only_our_own_proxys_word_is_taken(braked: Pages, pages: Pages) -> None:
    for number in range(4):
        braked.get("/m/x", headers=from_address(f"203.0.113.{number}, 198.51.100.7"))
    assert braked.get("/m/x", headers=from_address("198.51.100.7")).status_code == 429
    limit = int(pages.services.config.file.limits.tokens.split()[0])
    seen = [pages.get("/m/x", headers=from_address(f"203.0.113.{each}")).status_code for each in range(limit + 1)]
    assert seen[-1] == 429


def test_knocking_at_the_desk_is_braked(braked: Pages) -> None:
    token = re.search(r'data-token="([^"]+)"', braked.get("/desk").text)
    assert token is not None
    typed = {"form_token": token[1], "answer": "x"}
    assert [braked.client.post("/desk/key/answer", data=typed).status_code for _ in range(3)] == [403, 403, 429]
    assert braked.get("/desk").status_code == 200


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_who_counts_as_one(address: str, who: str) -> None:
    assert limits.network(address) == who


def test_the_count_holds_no_address_and_its_key_changes_every_day(braked: Pages) -> None:
    braked.get("/m/x", headers=from_address("198.51.100.7"))
    counted = repr(vars(braked.app.extensions["microsite-limiter"].storage))
    assert "tokens" in counted
    assert "198.51" not in counted
    salt = limits.Salt(braked.services, shared=False)
    today = salt.key()
    assert salt.key() == today
    braked.now += 86400
    assert salt.key() != today


def test_nothing_is_kept_of_those_who_are_counted_no_more(tmp_path: Path) -> None:
    """The library empties a count whose time is over, and kept its name for ever: one more for each address and day."""
    house = Pages(
        tmp_path / "quick", File(calendars=NO_CALENDARS, limits=Limits(tokens="3 per second", trusted_proxies=1))
    )
    storage = house.app.extensions["microsite-limiter"].storage
    for number in range(20):
        house.get("/m/x", headers=from_address(f"198.51.100.{number}"))
    assert len(storage.events) == 20

    def emptied() -> bool:
        house.get("/m/x", headers=from_address("203.0.113.1"))  # the library looks for ended counts when it counts
        return sum(map(bool, storage.events.values())) == 1

    wait_until(emptied, what="the end of twenty counts")
    assert len(storage.events) == 21
    house.now += 86400
    house.get("/m/x", headers=from_address("203.0.113.1"))
    assert len(storage.events) <= 2
    house.close()


def test_machines_that_count_together_have_the_same_key(braked: Pages) -> None:
    one, two = (limits.Salt(braked.services, shared=True) for _ in range(2))
    assert one.key() == two.key()
    alone = limits.Salt(braked.services, shared=False)
    assert alone.key() != one.key()


def test_where_the_shared_memory_is_gone_the_site_goes_on_and_counts_alone(tmp_path: Path) -> None:
    gone = Limits(tokens="2 per minute", storage="redis://127.0.0.1:1")
    house = Pages(tmp_path / "alone", File(calendars=NO_CALENDARS, limits=gone))
    assert [house.get("/m/x").status_code for _ in range(3)] == [404, 404, 429]
    assert house.send({**house.form(), "name": "Budi", "email": "budi@example.com"}).status_code == 303
    house.close()


def test_a_limit_that_cannot_be_read_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"limits\.bookings"):
        Pages(tmp_path / "instance", File(calendars=NO_CALENDARS, limits=Limits(bookings="many")))
