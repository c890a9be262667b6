"""For any WSGI server: `wsgi:app`. It serves pages only; run `microsite worker` beside it."""

from microsite import create_app
from microsite.process import close_down

close_down()
app = create_app()
