"""Which addresses may be contacted: however a private one is written, it stays private."""

import pytest

from microsite.calendars import addresses
from microsite.errors import CalendarUnsafe

PRIVATE = (
    "127.0.0.1 10.0.0.1 192.168.1.1 172.16.0.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255"
    " ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd00::1 fec0::1 ff02::1 2001:db8::1 2001::7f00:1"
    " ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 ::a00:1 2002:7f00:1:: 2002:c0a8:101::1 64:ff9b::a9fe:a9fe"
    " 64:ff9b::10.0.0.1 64:ff9b:1::1 5f00::1 4000::1"
).split()
PUBLIC = "93.184.216.34 2606:2800:220:1::1 ::ffff:93.184.216.34 64:ff9b::5db8:d822".split()


@pytest.mark.parametrize("peer", PRIVATE)
def test_a_private_address_is_refused_however_it_is_written(peer: str) -> None:
    assert not addresses.is_allowed("dav.example", peer, frozenset())


@pytest.mark.parametrize("peer", PUBLIC)
def test_a_public_address_is_allowed(peer: str) -> None:
    assert addresses.is_allowed("dav.example", peer, frozenset())


def test_what_the_operator_trusts_is_allowed_in_every_writing() -> None:
    for peer in ("10.0.0.5", "::ffff:10.0.0.5", "64:ff9b::10.0.0.5"):
        assert addresses.is_allowed("dav.example", peer, frozenset({"10.0.0.0/8"}))
        assert addresses.is_allowed("dav.lan", peer, frozenset({"dav.lan"}))
        assert not addresses.is_allowed("dav.example", peer, frozenset({"192.168.0.0/16", "dav.lan"}))


@pytest.mark.parametrize(
    "url",
    [
        "https://[",
        "https://dav.example:99999/",
        "https://dav.example:x/",
        "ftp://dav.example/",
        "http://93.184.216.34/",
        "https://name:word@dav.example/",
        "https://127.0.0.1/",
        "https://[::ffff:7f00:1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost/",
        "http://embedded.invalid/dav/",
    ],
)
def test_an_address_that_leads_inside_or_nowhere_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(CalendarUnsafe):
        addresses.check(url, frozenset(), embedded=False)
