"""The two cookies of this site: one opens a client's booking, one the coach's desk. Public pages set none."""

from typing import Literal

from flask import Response
from flask import request

from microsite.core.people import Secret
from microsite.services import get_services

Room = Literal["manage", "desk"]
LIFE = {"manage": 15 * 60, "desk": 12 * 3600}
"""Seconds. A client's cookie is renewed by each look at the page."""
SAME_SITE: dict[Room, Literal["Lax", "Strict"]] = {"manage": "Lax", "desk": "Strict"}
"""Strict would not be sent on the redirect after a click in a mail, which is how a client arrives."""


def name_of(room: Room) -> str:
    """`__Host-manage` under https; on http loopback browsers refuse that prefix."""
    return f"__Host-{room}" if get_services().config.https else room


def read(room: Room) -> str:
    """The value that came in, or nothing."""
    return request.cookies.get(name_of(room), "")


def give(response: Response, room: Room, value: Secret) -> Response:
    """Set the cookie on an answer."""
    response.set_cookie(
        name_of(room),
        value.reveal(),
        max_age=LIFE[room],
        path="/",
        secure=get_services().config.https,
        httponly=True,
        samesite=SAME_SITE[room],
    )
    return response


def take(response: Response, room: Room) -> Response:
    """Take the cookie away again."""
    response.delete_cookie(
        name_of(room), path="/", secure=get_services().config.https, httponly=True, samesite=SAME_SITE[room]
    )
    return response
