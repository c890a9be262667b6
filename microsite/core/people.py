"""The types that hold what a person wrote, and secrets. They cannot be printed, walked, logged, pickled or encoded.

Whoever needs the plain value calls `reveal()`; searching the code for that word finds every place that does.
How these values are sealed belongs to `sealing`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any
from typing import Generic
from typing import NamedTuple
from typing import NoReturn
from typing import Self
from typing import TypeVar

T = TypeVar("T")


class Hidden(Generic[T]):
    """A value that may be carried about but shows itself to nobody who does not call `reveal()`."""

    __slots__ = ("__value",)

    def __init__(self, value: T) -> None:
        # A function, not the value: what walks over attributes (debugger, crash report, serialiser) finds no text.
        self.__value: Callable[[], T] = lambda: value

    def reveal(self) -> T:
        """The plain value, for the one call that needs it."""
        return self.__value()

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is never pickled")


class Revealed(NamedTuple):
    """The plain values of a client. Keep it in the fewest lines possible and never pass it on."""

    name: str
    email: str
    note: str

    def __repr__(self) -> str:
        return "Revealed(***)"


class ClientDetails(Hidden[Revealed]):
    """Name, e-mail address and note of a client."""

    __slots__ = ()

    def __init__(self, name: str, email: str, note: str = "") -> None:
        super().__init__(Revealed(name, email, note))


class Address(Hidden[str]):
    """Where a letter goes: an e-mail address."""

    __slots__ = ()


class Secret(Hidden[str]):
    """A password, token or key in text form, which prints as three asterisks."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(other._encoded(), self._encoded())

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __repr__(self) -> str:
        return "***"

    def _encoded(self) -> bytes:
        return self.reveal().encode("utf-8", "surrogatepass")


class SecretBytes(Hidden[bytes]):
    """A raw key, or a text between its seal and its reader: bytes that must not lie open in a stack frame."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Record:
    """What is sealed for the coach, and again for the client: the details, and the consent they were given under.

    `written_at` is in UTC seconds. Nothing in it names the booking.
    """

    details: ClientDetails
    consent_version: str
    language: str
    written_at: int

    def __repr__(self) -> str:
        return "Record(***)"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Delivery:
    """What the server itself must read to send letters; `first_token` only until the letter that carries it is sent.

    `reminders` are the hours ahead that the client chose (`core.reminders`); None leaves it to the offer.
    """

    address: Address
    language: str
    zone: str
    first_token: Secret | None = None
    reminders: tuple[int, ...] | None = None

    def __repr__(self) -> str:
        return "Delivery(***)"
