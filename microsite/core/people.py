"""The one type that holds what a person wrote. It cannot be printed, formatted, compared in a trace, or logged.

Whoever needs the plain values calls `reveal()`; searching the code for that word finds every place that does.
"""

from typing import NamedTuple


class Revealed(NamedTuple):
    """The plain values. Keep it in the fewest lines possible and never pass it on."""

    name: str
    email: str
    note: str


class ClientDetails:
    """Name, e-mail address and note of a client, hidden from every kind of printing."""

    __slots__ = ("__revealed",)

    def __init__(self, name: str, email: str, note: str = "") -> None:
        self.__revealed = Revealed(name, email, note)

    def reveal(self) -> Revealed:
        """The plain values, for sealing, for the client's own page, and for the envelope of a letter."""
        return self.__revealed

    def __repr__(self) -> str:
        return "ClientDetails(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> str:
        raise TypeError("client details are never pickled")


class Address:
    """Where a letter goes: an e-mail address, hidden from printing in the same way."""

    __slots__ = ("__address",)

    def __init__(self, address: str) -> None:
        self.__address = address

    def reveal(self) -> str:
        """The plain address, for the envelope and the To field of one letter."""
        return self.__address

    def __bool__(self) -> bool:
        return bool(self.__address)

    def __repr__(self) -> str:
        return "Address(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> str:
        raise TypeError("an address is never pickled")


class Secret:
    """A password, token or key, which prints as three asterisks."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The plain secret, for the one call that needs it."""
        return self.__value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__value

    def __hash__(self) -> int:
        return hash(self.__value)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> str:
        raise TypeError("a secret is never pickled")
