"""A private booking site for coaches: see docs/decisions.md and README.md."""
