"""Setting up a real coach: the questions, the link to her desk, and what is refused."""

import re
from pathlib import Path

from microsite.core.people import Secret
from microsite.sealing import recipient_of
from tests.calendars.servers import PASSWORD
from tests.calendars.servers import USER
from tests.calendars.servers import radicale

from .conftest import Shell

COACH = "Wulan\nwulan\nhttps://book.example\nAsia/Makassar\nwulan@book.example\n"
RELAY = "mail.example\n587\nstarttls\n\n\nhalo@book.example\n"


def test_init_makes_no_key_for_the_coach_and_prints_the_link_to_the_desk_where_she_makes_hers(shell: Shell) -> None:
    said = shell.run("init", answers=f"{COACH}{RELAY}y\n")
    everything = b"".join(path.read_bytes() for path in shell.instance.rglob("*") if path.is_file())
    assert b"AGE-SECRET-KEY-1" not in everything
    assert b"everyday" not in everything
    link = re.search(r"https://book\.example/desk/([\w-]{43})\n", said)
    assert link is not None
    assert link[1].encode() not in everything
    assert "https://book.example/dav/" in said


def test_init_shows_the_backup_key_once_and_keeps_its_public_half_only(shell: Shell) -> None:
    said = shell.run("init", answers=f"{COACH}{RELAY}y\n")
    (identity,) = re.findall(r"AGE-SECRET-KEY-1\w+", said)
    recipients = (shell.instance / "backup-recipients.txt").read_text()
    assert recipient_of(Secret(identity)) in recipients
    assert "shown this once" in said


def test_init_writes_settings_that_only_the_operator_can_read(shell: Shell) -> None:
    shell.run("init", answers=f"{COACH}{RELAY}y\n")
    config = shell.instance / "config.toml"
    assert config.stat().st_mode & 0o777 == 0o600
    assert shell.instance.stat().st_mode & 0o777 == 0o700
    assert "https://book.example" in config.read_text()


def test_init_finds_the_calendars_of_an_account_and_asks_what_each_is_for(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with radicale(tmp_path / "server") as server:
        server.new_calendar()
        server.new_calendar()
        shell.instance.mkdir(mode=0o700)
        wrong = f"http://127.0.0.1:{server.port}/\n{USER}\nwrong\n"
        right = f"http://127.0.0.1:{server.port}/\n{USER}\n{PASSWORD}\nhours\nbookings\n"
        said = shell.run("init", answers=f"{COACH}{RELAY}n\n127.0.0.1\n{wrong}{right}")
        assert "That did not work" in said
        assert "/desk/" in said
        checked = shell.run("doctor", code=1)
    assert checked.count("answers") == 2
    assert "mail.example:587" in checked
    assert PASSWORD.encode() not in b"".join(p.read_bytes() for p in shell.instance.rglob("*") if p.is_file())


def test_a_calendar_that_is_found_twice_is_connected_once_and_takes_its_last_use(shell: Shell, tmp_path: Path) -> None:
    """Whoever forgot to name one for the bookings is asked anew, and used to have every calendar twice."""
    (tmp_path / "server").mkdir()
    with radicale(tmp_path / "server") as server:
        server.new_calendar()
        server.new_calendar()
        account = f"http://127.0.0.1:{server.port}/\n{USER}\n{PASSWORD}\n"
        said = shell.run("init", answers=f"{COACH}{RELAY}n\n127.0.0.1\n{account}busy\nhours\n{account}bookings\n\n")
        listed = shell.run("calendar", "list", "wulan").splitlines()
    assert "One calendar must take the bookings" in said
    assert "connected already: busy" in said
    assert sorted(line.split()[1] for line in listed) == ["bookings", "hours"]


def test_whoever_stops_at_the_calendars_is_told_what_is_kept_and_how_to_go_on(shell: Shell) -> None:
    said = shell.run("init", answers=f"{COACH}{RELAY}n\n10.1.2.3\n", code=1)
    assert "what was answered before is kept" in said
    assert "microsite calendar add wulan" in said
    assert shell.run("desk-link", "wulan").startswith("https://book.example/desk/")


def test_init_does_not_touch_settings_that_are_there(shell: Shell) -> None:
    shell.run("init", answers=f"{COACH}{RELAY}y\n")
    assert "is there already" in shell.run("init", answers=f"{COACH}{RELAY}y\n", code=1)


def test_a_slip_costs_its_own_question_and_nothing_that_was_typed_before(shell: Shell) -> None:
    """A wrong one used to end the command; some did after the settings were written, and the next try was refused."""
    slips = {
        "Wulan!": "small letters, digits and single hyphens",
        "book.example": "https:// and a host name",
        "http://book.example": "https:// (http only for localhost)",
        "Makassar": "an IANA time zone",
        "wulan at book.example": "one plain mail address, such as sari@example.org",
        "none": "starttls or tls",
        "halo": "one plain mail address, such as halo@book.example",
    }
    slug, bare, open_, zone, email, security, sender = slips
    coach = f"Wulan\n{slug}\nwulan\n{bare}\n{open_}\nhttps://book.example\n{zone}\nwita\n{email}\nwulan@book.example\n"
    relay = f"mail.example\n587\n{security}\nstarttls\n\n\n{sender}\nhalo@book.example\n"
    said = shell.run("init", answers=f"{coach}{relay}y\n")
    for wrong, allowed in slips.items():
        assert f"'{wrong}' does not work here; please give {allowed}" in said
    assert "https://book.example/desk/" in said
    assert 'zone = "Asia/Makassar"' in shell.run("coach", "export", "wulan")


def test_the_doctor_says_that_a_coach_without_keys_takes_no_bookings_and_how_she_gets_to_her_desk(shell: Shell) -> None:
    shell.run("init", answers=f"{COACH}{RELAY}y\n")
    said = shell.run("doctor", code=1)
    assert "wulan: the page takes no bookings yet" in said
    assert "microsite desk-link wulan" in said


def test_the_doctor_says_that_passkeys_want_a_name_where_the_address_is_a_number(shell: Shell) -> None:
    shell.run("init", answers=f"{COACH.replace('https://book.example', 'http://127.0.0.1:8000')}{RELAY}y\n")
    assert "passkeys only work with a name" in shell.run("doctor", code=1)


def test_init_refuses_a_slug_that_the_site_uses_itself(shell: Shell) -> None:
    said = shell.run("init", answers="Wulan\nmanage\n", code=1)
    assert "'manage'" in said
    assert not (shell.instance / "config.toml").exists()
