"""The kernel: words that every room speaks.

Here: money, instants, the clock and randomness ports, typed ids, errors, state tables, facts and the store port.
Not here: input or output, clock reading, third-party imports.
"""
