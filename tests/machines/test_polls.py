"""Several workers share the polling: each calendar is asked by one of them at a time, and all have their part."""

import threading
import time
from collections import Counter
from collections import defaultdict

from microsite.core.people import Secret
from tests.calendars.proxy import Exchange
from tests.calendars.proxy import proxy
from tests.machines.cluster import Cluster
from tests.waiting import wait_until

CALENDARS, ROUNDS = 6, 4


class Watch:
    """Who asks which calendar, and how many at once."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.now: Counter[str] = Counter()
        self.most: dict[str, int] = defaultdict(int)
        self.polls: Counter[str] = Counter()

    def come(self, exchange: Exchange) -> None:
        """A question arrives."""
        name = exchange.path.strip("/").split("/")[1]
        with self.guard:
            self.now[name] += 1
            self.most[name] = max(self.most[name], self.now[name])
            self.polls[name] += b"sync-collection" in exchange.body
        threading.Event().wait(0.15)

    def go(self, exchange: Exchange) -> None:
        """Its answer leaves."""
        with self.guard:
            self.now[exchange.path.strip("/").split("/")[1]] -= 1


def test_two_workers_share_the_polls_and_never_ask_one_calendar_at_the_same_time(installation: Cluster) -> None:
    watch, services = Watch(), installation.services
    with proxy(installation.calendars.port) as between:
        between.before.append(watch.come)
        between.after.append(watch.go)
        names = [installation.calendars.new_calendar() for _ in range(CALENDARS)]
        with services.store.write() as tx:
            for name in names:
                account = installation.calendars.account(name, between.port)
                secret = services.sealer.seal_secret(Secret(account.password), f"calendar/{name}")
                more = {"username": account.username, "secret": secret}
                tx.mirror.add_calendar(name, "rara", account.url, name, {"busy"}, **more)
        # None of them is killed; who stands still for some seconds must not be taken for dead.
        workers = [installation.node("worker", jobs={"heartbeat": 10}) for _ in range(2)]
        for worker in workers:
            worker.start()
        for number in range(1, ROUNDS + 1):
            _ask_for_all(installation, names)
            _ask_for_all(installation, names)
            wait_until(lambda number=number: min(watch.polls[name] for name in names) >= number, 90, "every poll")
        for worker in workers:
            assert worker.stop() == 0
            installation.nodes.remove(worker)

    assert dict(watch.most) == dict.fromkeys(names, 1), "one calendar was asked by two at the same time"
    # Asked for twice in a round, and running when it was asked for the second time: at most once more.
    assert max(watch.polls.values()) <= 2 * ROUNDS + 2, watch.polls


def _ask_for_all(installation: Cluster, names: list[str]) -> None:
    services = installation.services
    with services.store.write() as tx:
        for name in names:
            tx.mirror.touch(name, next_poll_at=0, backoff_until=0)
        services.jobs.enqueue(tx, "sync.due", "")
    time.sleep(0.1)
