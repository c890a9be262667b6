"""The canary: a visitor with unmistakable words lives a whole life on a real site, then every sink is searched.

`encodings` says what a hidden word looks like, `sinks` where one may lie, `places` where it is meant to be, `life` what
happens, and `leaky` is a site that gives everything away: the search that finds nothing here must find it all there.
"""
