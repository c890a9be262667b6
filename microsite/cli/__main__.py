"""`python -m microsite.cli`: the same as the `microsite` script."""

from . import main

main(prog_name="microsite")
