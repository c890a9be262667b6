"""Values of people and secrets show themselves only to `reveal()`."""

import copy
import dataclasses
import inspect
import json
import logging
import pickle
import pprint

import msgspec
import pytest

from microsite.core.people import Address
from microsite.core.people import ClientDetails
from microsite.core.people import Delivery
from microsite.core.people import Hidden
from microsite.core.people import Record
from microsite.core.people import Secret
from microsite.core.people import SecretBytes

MARK = "Kx7nameQ2vLp"

HIDING = {
    "details": ClientDetails(MARK, MARK, MARK),
    "details revealed": ClientDetails(MARK, MARK, MARK).reveal(),
    "address": Address(MARK),
    "secret": Secret(MARK),
    "secret bytes": SecretBytes(MARK.encode()),
    "record": Record(ClientDetails(MARK, MARK, MARK), MARK, MARK, 1),
    "delivery": Delivery(Address(MARK), MARK, MARK, Secret(MARK)),
}


def _name(value: object) -> str:
    """A name that is the same in every process: tests are collected by several at once."""
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__name__)}"


hiding = pytest.mark.parametrize("value", HIDING.values(), ids=HIDING)
encoding = pytest.mark.parametrize(
    "value", [value for words, value in HIDING.items() if words != "details revealed"], ids=str
)

parts = pytest.mark.parametrize("value", [value for value in HIDING.values() if isinstance(value, Hidden)], ids=_name)

PRINTINGS = {
    "repr": repr,
    "str": str,
    "f-string": lambda value: f"{value} {value!r} {value!s} {value!a}",
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031 - the very thing that is tried
    "format": "{0} {0!r}".format,
    "in a list and a dict": lambda value: str([value]) + str({"value": value}),
    "pprint": pprint.pformat,
}


@hiding
@pytest.mark.parametrize("printing", PRINTINGS.values(), ids=PRINTINGS)
def test_no_printing_shows_the_value(value, printing):
    assert MARK not in printing(value)


@hiding
def test_no_log_line_shows_the_value(value, caplog):
    logging.getLogger("test").warning("%s %r", value, [value])
    assert MARK not in caplog.text


@parts
def test_no_width_and_no_json_fallback_shows_the_value(value):
    assert MARK not in f"{value:>40}" + json.dumps({"value": value}, default=str)


@encoding
def test_it_has_no_dict_of_attributes(value):
    with pytest.raises(TypeError):
        vars(value)


@parts
def test_a_walk_over_all_its_attributes_finds_no_value(value):
    assert MARK not in str([part for _, part in inspect.getmembers_static(value)])
    assert MARK not in str([getattr(value, name, "") for name in dir(value)])


@encoding
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_no_protocol_pickles_it(value, protocol):
    with pytest.raises(TypeError):
        pickle.dumps(value, protocol)


@encoding
@pytest.mark.parametrize("dump", [json.dumps, msgspec.json.encode, msgspec.msgpack.encode], ids=_name)
def test_it_is_not_encoded(value, dump):
    with pytest.raises(TypeError) as refused:
        dump(value)
    assert MARK not in str(refused.value)


@parts
def test_a_serialiser_is_not_given_its_state(value):
    with pytest.raises(TypeError):
        value.__getstate__()


@parts
def test_a_copy_is_the_same_hidden_value(value):
    assert copy.copy(value) is value
    assert copy.deepcopy([value])[0] is value


def test_a_dataclass_that_holds_it_shows_nothing_and_comes_apart_without_showing():
    @dataclasses.dataclass
    class Form:
        details: ClientDetails
        password: Secret

    form = Form(ClientDetails(MARK, MARK), Secret(MARK))
    assert MARK not in repr(form) + repr(dataclasses.asdict(form)) + repr(dataclasses.astuple(form))


def test_a_struct_that_holds_it_shows_nothing():
    class Form(msgspec.Struct):
        details: ClientDetails

    assert MARK not in repr(Form(ClientDetails(MARK, MARK)))
    with pytest.raises(TypeError):
        msgspec.json.encode(Form(ClientDetails(MARK, MARK)))


def test_reveal_gives_what_was_put_in():
    assert ClientDetails("a", "b", "c").reveal() == ("a", "b", "c")
    assert Address("a").reveal() == Secret("a").reveal() == "a"
    assert SecretBytes(b"a").reveal() == b"a"


def test_an_empty_value_is_false():
    assert not Address("") and not Secret("") and not SecretBytes(b"")
    assert Address("a") and Secret("a") and SecretBytes(b"a") and ClientDetails("", "")


def test_secrets_are_equal_by_value_and_to_nothing_else():
    assert Secret("a") == Secret("a") and hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b") and Secret("a") != "a"
    assert Secret("\ud800") != Secret("a")
