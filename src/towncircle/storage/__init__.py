"""Stores on disk: the SQLite adapter of `kernel.store` and its numbered migrations.

Here: SQL. Not here: business branches, and the device's own memory, which psd keeps itself.
"""
