"""One module for each thing that happens. Each loads, asks the core, saves; steps that touch the world are jobs.

The rooms (store, calendars, mail, sealing, jobs) are reached through `Services` only.
"""
