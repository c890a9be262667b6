"""The coach's desk: the door, the sessions, keys, settings, invitations, and what the house looks like.

No page of it uses htmx or any script but the desk's own: names and notes are opened here.
"""

from . import door
from . import house
from . import invitations
from . import keys
from . import portrait
from . import seat
from . import sessions
from . import settings

__all__ = ["bp", "door", "house", "invitations", "keys", "portrait", "sessions", "settings"]
bp = seat.bp
