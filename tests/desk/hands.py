"""A coach's hands on the desk without a browser: forms found on pages and sent back, with the cookies she has."""

import re
from typing import Any

import pyrage
from werkzeug.test import TestResponse

from tests.web.conftest import Pages

from .passkeys import SoftPasskey


def fields(page: TestResponse, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts there."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page.text, re.S)
    assert form is not None, action
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[1]))


def settings_fields(page: str) -> dict[str, str]:
    """The fields of a settings page as a browser would send them."""
    body = re.findall(r'<form class="details".*?</form>', page, re.S)[0]
    found = {}
    for tag in re.findall(r"<input[^>]*>", body):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            found[name[1]] = value[1] if value else ""
    found |= dict(re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n?([^<]*)</textarea>', body))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', body, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


class Coach:
    """Sari, in front of her browser."""

    def __init__(self, pages: Pages) -> None:
        self.pages, self.client = pages, pages.client

    def enter(self) -> None:
        """Use a one-time link."""
        link = self.pages.desk_link()
        assert self.client.post(link, data=self.pages.fields(self.pages.get(link))).status_code == 303

    def post(self, path: str, token: str = "", **given: Any) -> TestResponse:
        """A form of a signed-in page."""
        return self.client.post(path, data={"form_token": token or self.token(), **given})

    def token(self) -> str:
        """The form token of this session."""
        return fields(self.pages.get("/desk/keys"), "/desk/out")["form_token"]

    def door_token(self) -> str:
        """The form token of the door."""
        return fields(self.pages.get("/desk"), "/desk/key")["form_token"]

    def enrol(self, passkey: SoftPasskey) -> TestResponse:
        """Make a passkey."""
        question = self.post("/desk/passkeys/question").get_json()
        return self.post("/desk/passkeys", answer=passkey.make(question))

    def with_passkey(self, passkey: SoftPasskey) -> TestResponse:
        """Sign in with it."""
        token = self.door_token()
        question = self.client.post("/desk/passkey/question", data={"form_token": token}).get_json()
        return self.client.post("/desk/passkey", data={"form_token": token, "answer": passkey.answer(question)})

    def challenge(self, **given: str) -> bytes:
        """The sealed challenge, as the `age` tool would be given it."""
        page = self.client.post("/desk/key", data={"form_token": self.door_token(), **given})
        armor = re.search(r"-----BEGIN AGE ENCRYPTED FILE-----.*?-----END AGE ENCRYPTED FILE-----", page.text, re.S)
        assert armor is not None
        return armor[0].encode()

    def answer(self, third_line: str) -> TestResponse:
        """What the challenge said."""
        return self.client.post("/desk/key/answer", data={"form_token": self.door_token(), "answer": third_line})

    def leave(self) -> None:
        """Drop the cookie, as another browser would have none."""
        self.client.delete_cookie("desk")

    @property
    def seated(self) -> bool:
        """Whether the desk is open in this browser."""
        return 'data-state="desk' in self.pages.get("/desk").text and "desk-closed" not in self.pages.get("/desk").text


def two_keys() -> tuple[pyrage.x25519.Identity, pyrage.x25519.Identity]:
    """An everyday and a recovery key, as `age-keygen` makes them."""
    return pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
