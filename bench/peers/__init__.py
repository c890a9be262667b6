"""How another booking site answers the question that ours answers with its picker, on this machine and in one run.

The other site is checked out, set up and started by whoever asks; nothing of it is here. See README.md.
"""
