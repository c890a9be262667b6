"""`microsite web` and `microsite worker` on one machine: they share its folder, on SQLite as on PostgreSQL."""

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

from tests.flow.visitor import Visitor
from tests.machines.cluster import Node
from tests.postgres import database_of
from tests.postgres import wanted


def test_on_one_machine_web_and_worker_may_share_its_folder_and_its_database(tmp_path: Path) -> None:
    """On SQLite too, where the file is one machine's; and with the built-in calendar, whose files both can reach."""
    folder = tmp_path / "instance"
    environ = database_of(folder)
    web, worker = Node("web", folder, environ), Node("worker", folder, environ)
    try:
        web.start()
        worker.start()
        visitor = Visitor(web.base)
        day = datetime.now(UTC) + timedelta(days=4)
        slots = visitor.get("/sari/sesi/", day=f"{day:%Y-%m-%d}").slots
        visitor.book("/sari/sesi/", slots[-1])
        visitor.wait_for("confirmed", 60)
        assert (folder / "site.db").exists() is not wanted()
    finally:
        assert worker.stop() == 0
        assert web.stop() == 0
