"""For any WSGI server: `wsgi:app`. It serves pages only; run `microsite worker` beside it."""

from microsite import create_app

app = create_app()
