"""One transaction: a gateway for each question, and what is to be done once it is committed. Opened by `engine`.

A gateway knows nothing but the connection, so each is made when it is asked for: that is quicker than keeping it.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from .bookings import Bookings
from .broker import Broker
from .census import Census
from .coaches import Coaches
from .glance import Glance
from .glance import Question
from .glance import Rows
from .glance import glance
from .happenings import Happenings
from .invitations import Invitations
from .keys import Keys
from .letters import Letters
from .links import Links
from .machines import Machines
from .mirror import Mirror
from .prepared import driven
from .queue import Queue
from .signins import SignIns
from .terms import TermsBook


class Tx:
    """One transaction, with a gateway for each question. `after` runs its calls once the commit has succeeded."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.after: list[Callable[[], None]] = []

    def ask(self, *questions: Question) -> list[Rows]:
        """The answers to plain SQL."""
        if self.conn.dialect.name == "sqlite":
            return [driven(self.conn, sql, values).fetchall() for sql, *values in questions]
        asked = [(sql.replace("?", "%s"), tuple(values)) for sql, *values in questions]
        return [self.conn.exec_driver_sql(sql, values).fetchall() for sql, values in asked]

    def glance(self, coach: str, now: int) -> Glance | None:
        """As the store's own, as this transaction sees it."""
        return glance(self.ask, coach, now)

    @property
    def coaches(self) -> Coaches:
        """Coaches, their settings, and their recipients."""
        return Coaches(self.conn)

    @property
    def bookings(self) -> Bookings:
        """Bookings and their sealed parts."""
        return Bookings(self.conn)

    @property
    def mirror(self) -> Mirror:
        """The calendars as they were last read."""
        return Mirror(self.conn)

    @property
    def links(self) -> Links:
        """Hashed links and desk sessions."""
        return Links(self.conn)

    @property
    def keys(self) -> Keys:
        """The public keys that records are sealed to."""
        return Keys(self.conn)

    @property
    def signins(self) -> SignIns:
        """Passkeys and the questions of a sign-in."""
        return SignIns(self.conn)

    @property
    def invitations(self) -> Invitations:
        """Invitations to offers that are not open to everybody."""
        return Invitations(self.conn)

    @property
    def letters(self) -> Letters:
        """What was or will be told."""
        return Letters(self.conn)

    @property
    def terms(self) -> TermsBook:
        """The versions of the coaches' privacy pages."""
        return TermsBook(self.conn)

    @property
    def happenings(self) -> Happenings:
        """The data-free list of what happened."""
        return Happenings(self.conn)

    @property
    def machines(self) -> Machines:
        """What all machines have in common, and who is running."""
        return Machines(self.conn)

    @property
    def census(self) -> Census:
        """Counts for whoever watches the machine."""
        return Census(self.conn)

    @property
    def queue(self) -> Queue:
        """The rows of the outbox engine."""
        return Queue(self.conn)

    @property
    def broker(self) -> Broker:
        """The rows of the procrastinate engine."""
        return Broker(self.conn)
