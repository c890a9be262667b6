"""The only SQL of the site. `Store` opens transactions; a `Tx` holds one gateway for each question.

Nothing here decides: what may follow what is in `core`, what happens is in `work`.
"""

from .engine import Store
from .tx import Tx

__all__ = ["Store", "Tx"]
