"""Which settings a coach changes at the desk, in which order and under which words."""

from flask_babel import lazy_gettext as _

from .fields import CHOICE
from .fields import DATES
from .fields import HOURS
from .fields import LONG
from .fields import NUMBER
from .fields import TICK
from .fields import WEEKLY
from .fields import Field
from .fields import Group
from .fields import both

GENERAL = (
    Group(
        _("You"),
        (
            Field("name", _("Your name, as visitors see it")),
            *both("sentence", _("One sentence under your name")),
            *both(
                "portrait_text",
                _("What your portrait shows"),
                hint=_("For those who do not see it, such as: smiling, in front of a green wall."),
            ),
            Field("accent", _("A colour of your own"), hint=_("Such as #1d6b4a; empty for the site's own.")),
            Field(
                "contact", _("How clients reach you"), hint=_("An e-mail address or a number, as you want it shown.")
            ),
            Field("email", _("Where notices to you go (e-mail)")),
            Field(
                "language",
                _("Language of notices to you and of your calendar"),
                CHOICE,
                choices=(("id", "Bahasa Indonesia"), ("en", "English")),
            ),
            Field("zone", _("Your time zone"), hint=_("Such as Asia/Jakarta, Asia/Makassar or Asia/Jayapura.")),
        ),
    ),
    Group(
        _("Weekly hours"),
        WEEKLY,
    ),
    Group(
        _("Exceptions and limits"),
        (
            Field(
                "exceptions",
                _("Days that are different"),
                DATES,
                _("One day a line: 2026-12-25 closes it; 2026-12-26 09:00-12:00 gives it these hours instead."),
            ),
            Field("per_day", _("Most sessions in a day"), NUMBER, _("0 for no limit.")),
            Field("per_week", _("Most sessions in a week"), NUMBER, _("0 for no limit.")),
            Field("tentative_blocks", _("Tentative events in my calendar block their time"), TICK),
        ),
    ),
    Group(
        _("Discretion"),
        (
            *both("session_title", _("Title of a session in calendars"), hint=_("Neutral, so that it tells nothing.")),
            Field(
                "event_class",
                _("Mark of events in your calendar"),
                CHOICE,
                choices=(("CONFIDENTIAL", _("confidential")), ("PRIVATE", _("private")), ("none", _("none"))),
            ),
            *both(
                "confidentiality",
                _("Where confidentiality ends"),
                LONG,
                _("In your own words, for the page about what is kept. Empty: serious danger, and the law."),
            ),
            Field(
                "note_consent",
                _("Consent to keep a note"),
                CHOICE,
                choices=(("writing", _("writing a note is enough")), ("box", _("a box must be ticked"))),
            ),
            Field(
                "retention_days",
                _("How many days after the session what clients wrote is deleted"),
                NUMBER,
                _("1 to 365. It holds for bookings made from now on."),
            ),
            Field(
                "stale_minutes",
                _("Show no times when a calendar has not answered for so many minutes"),
                NUMBER,
                _("5 to 1440."),
            ),
        ),
    ),
)

OFFER = (
    Group(
        _("What it is"),
        (
            *both("title", _("Title")),
            *both("description", _("Description"), LONG),
            *both("price", _("Price, in your words")),
            Field("minutes", _("Length in minutes"), NUMBER, _("5 to 720.")),
            Field(
                "place.kind",
                _("Where"),
                CHOICE,
                choices=(
                    ("video", _("Video call")),
                    ("phone", _("By phone")),
                    ("address", _("In person")),
                    ("text", _("In my own words")),
                ),
            ),
            *both("place.text", _("Link, number, address or words"), hint=_("Shown once the session is certain.")),
        ),
    ),
    Group(
        _("Who may book it, and how it becomes certain"),
        (
            Field("listed", _("Show it on my page"), TICK),
            Field("invited", _("Only with an invitation"), TICK),
            Field(
                "mode",
                _("It becomes certain"),
                CHOICE,
                choices=(
                    ("instant", _("at once")),
                    ("email", _("when the visitor has confirmed the e-mail address")),
                    ("coach", _("when I have said yes")),
                ),
            ),
            Field(
                "email",
                _("E-mail address"),
                CHOICE,
                choices=(("required", _("needed")), ("optional", _("not needed"))),
            ),
            Field("hold", _("Minutes a time is held for an unconfirmed address"), NUMBER, _("5 to 1440.")),
            Field("request", _("Hours I have to answer"), HOURS),
        ),
    ),
    Group(
        _("When"),
        (
            Field("step", _("A start every how many minutes"), NUMBER, _("5 to 720.")),
            Field("before", _("Minutes kept free before"), NUMBER),
            Field("after", _("Minutes kept free after"), NUMBER),
            Field("notice", _("Hours of notice to book"), HOURS),
            Field("cancel_notice", _("Hours of notice to move or cancel"), HOURS),
            Field("horizon_days", _("How many days ahead it can be booked"), NUMBER, _("1 to 365.")),
            Field("per_day", _("Most in a day"), NUMBER, _("0 for no limit.")),
            Field("per_week", _("Most in a week"), NUMBER, _("0 for no limit.")),
            Field("reminder", _("Hours before the session for a reminder"), HOURS, _("0 sends none.")),
        ),
    ),
    Group(_("Hours of its own, instead of yours"), WEEKLY),
)
