"""What a booking takes in the database, from the visitor's POST to the last letter: measured on a real one."""

from bench import practice
from bench.site import instance
from microsite.services import Services
from microsite.work import demo
from microsite.work.steps import work
from tests.hands import hands_of

SAMPLE = 12


def bytes_per_booking() -> float:
    """Book, confirm and tell some, and see by how much the file has grown for each."""
    with instance() as demo_coach, demo_coach.opened() as services:
        _book(services, 2)
        before = _size(services)
        _book(services, SAMPLE)
        return (_size(services) - before) / SAMPLE


def _book(services: Services, count: int) -> None:
    for _ in range(count):
        start = practice.starts(services, demo.SLUG)[0]
        practice.book_once(services, demo.SLUG, start)
    hands, steps = hands_of(services), work(services)
    while job := hands.take():
        steps.perform(job.kind, job.key)
        hands.done(job)


def _size(services: Services) -> int:
    """Bytes of all pages that are in use."""
    services.store.truncate_log()
    with services.store.read() as tx:
        asked = ("page_count", "freelist_count", "page_size")
        pages, free, size = (tx.conn.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in asked)
    return int((pages - free) * size)
