"""The client's pages: opened by the link in the mail, kept by a short cookie. GET changes nothing, ever.

Every form carries the booking's reference and a token tied to the cookie; with another booking's nothing is done.
"""

from . import feed
from . import moving
from . import page
from . import rights
from . import seat
from . import wishes

__all__ = ["bp", "feed", "moving", "page", "rights", "wishes"]
bp = seat.bp
