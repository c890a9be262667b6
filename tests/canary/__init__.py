"""The canary: a visitor with unmistakable words lives a whole life on a real site, then every sink is searched.

A new sink (a backup, a metrics page, a file) is one more line of pieces and one hole:

1. what could leak into it is yielded as `sinks.Piece(sink, where, bytes)` by `Life.pieces` (files, rows, processes), or
   simply asked for over HTTP by a `Life.person(…)`, whose every exchange is kept; commands stand in `commands.READING`;
2. its name goes into the set of `test_every_sink_was_read`, so that an empty search is noticed;
3. where words or secrets are meant to be there, `places.PLACES` says so, with the reason; else nothing;
4. `leaky` opens a hole in it when `leak` is switched on, and `HOLES` in `test_leaks` names what must be found.

`encodings` says what a hidden word looks like, `sinks` where one may lie, `places` where it is meant to be, `life` what
happens, and `leaky` is a site that gives everything away: the search that finds nothing here must find it all there.
"""
