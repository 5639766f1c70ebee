"""The lockbox bank: takes deposits in for the Postal Service and reports them.

Here: items, the statement, the daily report. Not here: whose meter account a deposit belongs to beyond its label.
"""
