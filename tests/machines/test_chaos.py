"""Two web and two worker processes, of which any one is killed at random under load. `CHAOS` is the seconds of it.

`make chaos` runs five minutes; `make test-postgres` a short form.
"""

import os
import random
from pathlib import Path

from tests.machines.chaos import Chaos
from tests.machines.cluster import cluster
from tests.postgres import Server

SHORT = 25.0
VISITORS = 10


def test_whoever_is_killed_nothing_is_lost_nothing_is_twice_and_the_others_serve_on(
    tmp_path: Path, postgres: Server
) -> None:
    seconds = float(os.environ.get("CHAOS", SHORT))
    seed = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}")
    with cluster(tmp_path, postgres) as installation:
        for kind in ("web", "web", "worker", "worker"):
            installation.node(kind).start()
        chaos = Chaos(installation, seconds, seed)
        chaos.run(VISITORS)
        chaos.check()
        done = [client for client in chaos.crowd.clients if client.link]
        print(
            f"{len(done)} bookings, {sum(client.moved for client in done)} moves,"
            f" {sum(client.cancelled for client in done)} cancellations, {chaos.crowd.looks} looks; killed"
            f" {dict(chaos.kills)}; {sum(bool(client.unsure) for client in chaos.crowd.clients)} answers never came"
        )
        assert not chaos.uneventful, "too little happened to prove anything"
