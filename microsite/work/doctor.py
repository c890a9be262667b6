"""Checking every setting against the real servers, and saying in plain words what is wrong and what to do."""

from microsite.core import remedies
from microsite.core.health import Facts
from microsite.core.health import judge
from microsite.core.oddities import said
from microsite.errors import CalendarError
from microsite.errors import CalendarRefused
from microsite.errors import CannotOpen
from microsite.services import Services

from . import several
from .findings import Finding as Finding
from .health import count
from .sync import SIGN_IN
from .sync import account_of

CLOCKS_APART = 60
"""Seconds by which two clocks may differ before somebody should look."""


def examine(services: Services) -> list[Finding]:
    """Every check, in the order an operator would mend things."""
    return [*_machine(services), *several.examine(services), *_mail(services), *_coaches(services)]


def _machine(services: Services) -> list[Finding]:
    findings = [_modes(services), _database(services), *_keys(services), *_copies(services)]
    facts = count(services)
    found = judge(facts, services.clock())
    findings += [_disk(services, found.disk, facts.disk_free), _jobs(found.jobs, facts), _clock(found.clock)]
    if found.letters != "ok":
        what = f"{facts.letters_late} letters wait for the mail relay"
        findings.append(Finding("look", what, "the findings about mail below say why; they are sent once it answers"))
    if services.config.configured and not facts.coaches:
        what = f"{services.store.file or 'the database'} holds no coach"
        findings.append(Finding("wrong", what, "restore a backup, or begin anew with microsite init"))
    if services.config.host.replace(".", "").isdigit():
        advice = "set site.address to a name: http://localhost for a try on this machine, https:// before going live"
        findings.append(Finding("look", "the site's address is a number, and passkeys only work with a name", advice))
    elif not services.config.https and services.config.configured:
        findings.append(Finding("look", "the site's address is http", "set site.address to https:// before going live"))
    return findings


def _keys(services: Services) -> list[Finding]:
    """Day keys that were cut short: nothing of these days is opened or sealed."""
    folder = services.config.instance / "day-keys"
    advice = "move it away (mv): that day can be booked again; letters about it that still wait cannot be sent"
    return [Finding("wrong", f"{folder / day} is damaged", advice) for day in services.sealer.damaged_days()]


def _copies(services: Services) -> list[Finding]:
    names = ", ".join(path.name for path in services.store.old_copies(services.clock()))
    return [Finding("look", f"old copies of the database are still there: {names}", "microsite purge")] if names else []


def _disk(services: Services, state: str, free: int) -> Finding:
    instance = services.config.instance
    if state == "read-only":
        return Finding("wrong", remedies.READ_ONLY.of(str(instance)))
    if state == "full":
        return Finding("wrong", remedies.FULL.of(str(instance)))
    if state == "low":
        return Finding("look", f"only {free // 1024 // 1024} MB are free", "make room: a full disk stops bookings")
    return Finding("ok", "there is room on the disk")


def _jobs(state: str, facts: Facts) -> Finding:
    if state == "stuck":
        what = f"{facts.jobs_due} jobs wait, and nobody has taken one for minutes"
        return Finding("look", what, "is the site (or a worker) running? If it is, restart it and look at its log")
    if facts.jobs_given_up:
        return Finding("look", f"{facts.jobs_given_up} jobs were given up", "see the log for the error of each")
    return Finding("ok", f"no job was given up, {facts.jobs_due} wait")


def _clock(state: str) -> Finding:
    if state == "behind":
        advice = "set the clock (NTP): a machine without a battery clock starts in the past"
        return Finding("wrong", "a calendar was read later than it is now by this machine's clock", advice)
    return Finding("ok", "the clock does not contradict what was read")


def _modes(services: Services) -> Finding:
    instance = services.config.instance
    private = [path for path in (instance, *instance.iterdir()) if path.name != "config.example.toml"]
    open_ = [path for path in private if path.stat().st_mode & 0o077]
    if open_:
        names = " ".join(str(path) for path in open_)
        return Finding("wrong", f"others can read {names}", f"chmod -R go= {instance}")
    return Finding("ok", "nobody else can read the instance folder")


def _database(services: Services) -> Finding:
    health = services.store.check()
    return (
        Finding("wrong", f"the database is damaged: {health}", "restore a backup")
        if health
        else Finding("ok", "the database is whole")
    )


def _mail(services: Services) -> list[Finding]:
    mail = services.config.file.mail
    if not mail.host:
        return [Finding("ok", f"letters go into the folder {services.config.instance / 'mail'} (demo only)")]
    trouble = services.mailer.check()
    if trouble:
        where = f"{mail.host}:{mail.port} ({mail.security})"
        advice = {
            "535": "user name or password is wrong (many providers want an app password)",
            "SSLCertVerificationError": "its certificate is not valid for that name",
            "ConnectionRefusedError": "nothing listens there: check host and port",
            "TimeoutError": "no answer: check host, port and the firewall",
            "gaierror": "no such host",
        }.get(trouble, "check the [mail] settings")
        return [Finding("wrong", f"the mail relay {where} does not take letters ({trouble})", advice)]
    return [Finding("ok", f"the mail relay {mail.host} takes letters"), *_dns(services)]


def _dns(services: Services) -> list[Finding]:
    advice = "ask whoever runs the domain's DNS to add it; without it letters end in spam"
    findings = []
    for name, found in services.mailer.dns_notes():
        if found == "no answer":
            findings.append(Finding("look", f"{name}: the DNS did not answer here", "check it from another machine"))
        elif found == "missing":
            findings.append(Finding("look", f"{name}: no record for the sender's domain", advice))
        else:
            findings.append(Finding("ok", f"{name}: {found}"))
    return findings


def _coaches(services: Services) -> list[Finding]:
    findings = []
    with services.store.read() as tx:
        coaches = [(row, tx.mirror.calendars(row.slug), tx.mirror.warnings(row.slug)) for row in tx.coaches.all()]
    for row, calendars, warnings in coaches:
        roles = {role for calendar in calendars for role in calendar.roles}
        if any(calendar.profile in SIGN_IN for calendar in calendars) and not services.config.file.google.published:
            what = f"{row.slug}: a Google permission ends after 7 days while the app's consent screen is in «Testing»"
            findings.append(Finding("look", what, "publish the app at Google, then set google.published = true"))
        if not row.open:
            what = f"{row.slug}: the page takes no bookings yet, because its coach has not made her keys"
            findings.append(Finding("look", what, f"give her a link to her desk: microsite desk-link {row.slug}"))
        if "bookings" not in roles:
            findings.append(Finding("wrong", f"{row.slug}: no calendar takes bookings", "microsite calendar add"))
        if "open" not in roles and not row.settings.hours:
            findings.append(
                Finding("look", f"{row.slug}: there are no open hours", "name a calendar for them, or set weekly hours")
            )
        findings += [_calendar(services, row.slug, calendar) for calendar in calendars]
        findings += [
            Finding("look", f"{row.slug}: calendar «{name}»: {said(warning).en}")
            for name, warning in sorted({(name, warning) for name, _, warning in warnings})
        ]
    return findings


def _calendar(services: Services, slug: str, row: object) -> Finding:
    name = f"{slug}: calendar «{row.name or row.id}»"  # type: ignore[attr-defined]
    try:
        theirs = services.calendars.check(account_of(services, row))
    except CannotOpen:
        return Finding("wrong", f"{name}: its password was sealed with another server key", "enter it again")
    except CalendarRefused as error:
        if row.profile in SIGN_IN:  # type: ignore[attr-defined]
            return Finding("wrong", f"{name}: {error}", f"microsite calendar connect google {slug}")
        return Finding("wrong", f"{name}: {error}", "most providers want an app password when two-factor is on")
    except CalendarError as error:
        return Finding("wrong", f"{name}: {error}", "is the server up, and the address right?")
    apart = abs(theirs - services.clock()) if theirs is not None else 0
    if apart > CLOCKS_APART:
        what = f"{name} answers, but its server's clock and this machine's are {apart} seconds apart"
        return Finding("look", what, "keep this machine's clock by NTP: notice, reminders and deletions go by it")
    return Finding("ok", f"{name} answers")
