"""Letters into a folder: private, whole, and gone in time."""

import os
import stat
import threading
from pathlib import Path

import pytest
from handing_over import KLIEN
from handing_over import letter
from handing_over import smtp
from letterbox import NOW
from letterbox import Sent
from letterbox import order_for
from relays import Inbox
from relays import relay

from microsite.core.bookings import Booking
from microsite.errors import MailDelayed
from microsite.mail import Maildir


def test_the_maildir_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = tmp_path / "instance" / "mail"
        Maildir(folder).deliver(letter(), KLIEN)
    finally:
        os.umask(before)
    for path in (folder, folder / "tmp", folder / "new", folder / "cur"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    (file,) = (folder / "new").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list((folder / "tmp").iterdir()) == []


def test_a_folder_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    Maildir(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path, tmp_path / "new")} == {0o700}


def test_the_maildir_takes_the_same_bytes_as_a_relay(tmp_path: Path) -> None:
    inbox = Inbox()
    message = letter()
    with relay(inbox) as port:
        smtp(port).deliver(message, KLIEN)
    Maildir(tmp_path).deliver(message, KLIEN)
    (file,) = (tmp_path / "new").iterdir()
    assert file.read_bytes() == inbox.letters[0].content


def test_emptying_the_maildir_goes_by_the_letters_own_dates(post: Sent, booking: Booking) -> None:
    for sent_at in (NOW - 86400, NOW, NOW + 86400):
        post.mailer.send(order_for(booking, "reminder", sent_at=sent_at))
    old = next(path for path in (post.folder / "new").iterdir() if path.stat().st_mtime == NOW - 86400)
    old.rename(post.folder / "cur" / f"{old.name}:2,S")
    maildir = Maildir(post.folder)
    assert maildir.empty_before(NOW - 86400) == 0
    assert maildir.empty_before(NOW) == 1
    assert maildir.empty_before(NOW + 86401) == 2
    assert [path for path in post.folder.rglob("*") if path.is_file()] == []


def test_a_maildir_that_cannot_be_written_delays_and_leaves_no_half_letter(tmp_path: Path) -> None:
    maildir = Maildir(tmp_path / "mail")
    (tmp_path / "mail" / "new").rmdir()
    with pytest.raises(MailDelayed):
        maildir.deliver(letter(), KLIEN)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_many_letters_at_once_all_arrive_whole(tmp_path: Path) -> None:
    maildir = Maildir(tmp_path)
    threads = [threading.Thread(target=maildir.deliver, args=(letter(), KLIEN)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.read_bytes() for path in (tmp_path / "new").iterdir()} == {letter().as_bytes()}
    assert len(list((tmp_path / "new").iterdir())) == 16
