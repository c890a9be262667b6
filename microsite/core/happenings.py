"""Words of the data-free list of happenings that no letter follows from; the others are in `letters`."""

HELD = "held"
"""A visitor's start was held and is on its way into the calendar."""
LETTER_SENT = "letter-sent"
PURGED = "purged"
EXPORTED = "exported"
CORRECTED = "corrected"
DESK_OPENED = "desk-opened"
