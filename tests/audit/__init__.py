"""What takes minutes or heavy tools: `make audit` (our own rules over the source), `make fuzz` (a running site)."""
