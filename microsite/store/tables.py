"""The tables. Times are UTC seconds; `*_on` columns are dates as text (a booking keeps its day of birth, not its hour).

Every table that belongs to a coach carries her slug, so that she can be moved, partitioned or erased as one. On SQLite
small rows that are found by a key of their own lie in that key's index (WITHOUT ROWID): a page less to write.
"""

from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import LargeBinary
from sqlalchemy import MetaData
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy import Table
from sqlalchemy import Text
from sqlalchemy import UniqueConstraint

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, default: str | None = "") -> "Column[str]":
    return Column(name, Text, nullable=False, server_default=default)


def _time(name: str) -> "Column[int]":
    return Column(name, BigInteger, nullable=False, server_default="0")


def _coach(index: bool = False) -> "Column[str]":
    return Column("coach", Text, ForeignKey("coach.slug", ondelete="CASCADE"), nullable=False, index=index)


coach = Table(
    "coach",
    metadata,
    Column("slug", Text, primary_key=True),
    Column("settings", Text, nullable=False),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("demo", Boolean, nullable=False, server_default="0"),
    Column("open", Boolean, nullable=False, server_default="0"),
    _time("told_unreachable_at"),
    _time("told_brake_at"),
    Column("brake_released", Boolean, nullable=False, server_default="0"),
    _time("restored_from"),
    Column("unsettled", Boolean, nullable=False, server_default="0"),
    _text("portrait"),
)

portrait = Table(
    "portrait",
    metadata,
    Column("coach", Text, ForeignKey("coach.slug", ondelete="CASCADE"), primary_key=True),
    Column("digest", Text, nullable=False, index=True),
    Column("small", LargeBinary, nullable=False),
    Column("large", LargeBinary, nullable=False),
)

terms = Table(
    "terms",
    metadata,
    _coach(),
    Column("version", Text, nullable=False),
    _text("since"),
    Column("facts", Text, nullable=False),
    Column("number", Integer, nullable=False),
    PrimaryKeyConstraint("coach", "version"),
)

key = Table(
    "key",
    metadata,
    Column("id", Text, primary_key=True),
    _coach(index=True),
    Column("recipient", Text, nullable=False),
    Column("wrapped_identity", LargeBinary),
    _text("kind"),
    _time("created_at"),
    Column("retired_at", BigInteger),
)

credential = Table(
    "credential",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    _coach(index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False, server_default="0"),
    _text("created_on"),
    Column("key", Text, ForeignKey("key.id", ondelete="SET NULL")),
    Column("wrapped_identity", LargeBinary),
)

challenge = Table(
    "challenge",
    metadata,
    Column("lookup", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("coach", Text, ForeignKey("coach.slug", ondelete="CASCADE")),
    Column("expires_at", BigInteger, nullable=False),
)

calendar = Table(
    "calendar",
    metadata,
    Column("id", Text, primary_key=True),
    _coach(index=True),
    Column("url", Text, nullable=False),
    _text("name"),
    _text("roles"),
    _text("username"),
    Column("secret", LargeBinary),
    _text("profile"),
    _text("state", "NEW"),
    _text("sync_token"),
    _text("ctag"),
    _time("version"),
    _time("last_ok_at"),
    _time("last_full_at"),
    _time("window_end"),
    _time("next_poll_at"),
    _time("interval"),
    _time("backoff_until"),
    _time("first_failed_at"),
    Column("failures", Integer, nullable=False, server_default="0"),
    _text("problem"),
    Column("part", Integer, nullable=False, server_default="0"),
    Index("ix_calendar_part_next_poll_at", "part", "next_poll_at"),
)

calendar_span = Table(
    "calendar_span",
    metadata,
    Column("calendar", Text, ForeignKey("calendar.id", ondelete="CASCADE"), primary_key=True),
    Column("serves", Text, primary_key=True),
    Column("spans", LargeBinary, nullable=False),
)

resource = Table(
    "resource",
    metadata,
    Column("calendar", Text, ForeignKey("calendar.id", ondelete="CASCADE"), primary_key=True),
    Column("href", Text, primary_key=True),
    _text("etag"),
    _text("uid"),
    _text("serves"),
    Column("spans", LargeBinary, nullable=False),
    _text("warning"),
    Column("seen", LargeBinary),
    Index("ix_resource_uid", "uid"),
)

booking = Table(
    "booking",
    metadata,
    Column("id", Text, primary_key=True),
    _coach(),
    Column("ref", Text, nullable=False),
    Column("offer", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("before", Integer, nullable=False),
    Column("after", Integer, nullable=False),
    Column("state", Text, nullable=False),
    _text("reason"),
    Column("pending_start", BigInteger),
    Column("pending_end", BigInteger),
    Column("hold_until", BigInteger),
    _text("language"),
    _text("created_on"),
    _text("purge_on"),
    _text("coach_calendar"),
    _text("coach_uid"),
    _text("coach_href"),
    _text("coach_etag"),
    Column("coach_seq", Integer, nullable=False, server_default="0"),
    _text("client_uid"),
    Column("client_seq", Integer, nullable=False, server_default="0"),
    _time("client_dtstamp"),
    Column("record", LargeBinary),
    Column("copy", LargeBinary),
    Column("delivery", LargeBinary),
    _text("delivery_day"),
    Column("discreet", Boolean, nullable=False, server_default="1"),
    _text("first_message_id"),
    Column("reminded_for", BigInteger, nullable=False, server_default="0"),
    Column("doubt", LargeBinary),
    _time("version"),
    UniqueConstraint("coach", "ref"),
    Index("ix_booking_coach_state_start", "coach", "state", "start"),
)

letter = Table(
    "letter",
    metadata,
    Column("id", Text, primary_key=True),
    _coach(),
    Column("booking", Text, ForeignKey("booking.id", ondelete="CASCADE")),
    Column("number", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    _text("message_id"),
    Column("seq", Integer, nullable=False, server_default="0"),
    _time("dtstamp"),
    _time("start"),
    _time("end"),
    _time("old_start"),
    _text("state", "queued"),
    Index("ix_letter_booking_number", "booking", "number"),
)

link = Table(
    "link",
    metadata,
    Column("lookup", LargeBinary, primary_key=True),
    _coach(),
    Column("booking", Text, ForeignKey("booking.id", ondelete="CASCADE"), index=True),
    Column("kind", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    sqlite_with_rowid=False,
)

invitation = Table(
    "invitation",
    metadata,
    Column("lookup", LargeBinary, primary_key=True),
    _coach(index=True),
    Column("offer", Text, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    _text("label"),
)

happening = Table(
    "happening",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _coach(),
    _text("ref"),
    Column("at", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Index("ix_happening_coach_at", "coach", "at"),
)

mark = Table(
    "mark",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

process = Table(
    "process",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("run_at", BigInteger, nullable=False),
    Column("ticket", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("dead", Boolean, nullable=False, server_default="0"),
    _text("owner"),
    _time("leased_until"),
    _text("trouble"),
    Index("ix_job_run_at", "dead", "run_at"),
    sqlite_with_rowid=False,
)
