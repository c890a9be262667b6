"""One question of every look, and the same said in more words elsewhere: they must agree."""

from random import Random

from microsite.core.polling import HOT
from microsite.core.polling import pace
from microsite.errors import TimesUnknown
from microsite.work import look
from microsite.work import polls
from microsite.work.demo import SLUG
from microsite.work.pace import pace_of
from tests.conftest import NOW
from tests.conftest import House

NEAR = (0, 1, HOT - 1, HOT, HOT + 1, 600)
WHEN = (0, *(NOW - away for away in NEAR), *(NOW + away for away in NEAR))


def test_the_look_and_the_polls_mean_the_same_by_an_old_calendar(house: House) -> None:
    random = Random(5)
    with house.services.store.write() as tx:
        tx.mirror.add_calendar("c1", SLUG, "https://cal.example/c1/", "Mine", {"busy"})
        tx.mirror.add_calendar("c2", SLUG, "https://cal.example/c2/", "Feed", {"busy", "feed"})
    seen, slow = set(), pace(10**6)
    for _ in range(120):
        with house.services.store.write() as tx:
            for name in ("c1", "c2"):
                times = {key: random.choice(WHEN) for key in ("last_ok_at", "next_poll_at", "backoff_until")}
                tx.mirror.touch(name, **times, first_failed_at=random.choice((0, 0, NOW - 3601, NOW)))
        with house.services.store.read() as tx:
            rows, paced = tx.mirror.calendars(SLUG), pace_of(house.services, tx)
        glance = house.services.store.glance(SLUG, NOW)
        assert glance is not None
        assert bool(glance.old) == any(polls._old(row, paced, NOW) for row in rows)
        # A huge site asks less often than a look looks: then the polls have the last word, and none is forgotten.
        assert glance.old or not any(polls._old(row, slow, NOW) for row in rows)
        coach = look.coach(house.services, SLUG)
        try:
            look.check_mirror(rows, coach.settings, NOW)
            known = True
        except TimesUnknown:
            known = False
        assert (NOW <= coach.known_until) == known
        assert look.still(look.ground(coach), glance, NOW) == known
        seen.add((bool(glance.old), known))
    assert len(seen) == 4


def test_an_embedded_calendar_is_never_old(house: House) -> None:
    house.now += 10 * 86400
    glance = house.services.store.glance(SLUG, house.now)
    assert glance is not None
    assert not glance.old


def test_nobody_has_nothing_to_look_at(house: House) -> None:
    assert house.services.store.glance("nobody", NOW) is None
    assert house.services.store.whole("nobody", NOW) is None
