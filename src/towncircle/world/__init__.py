"""The world: parties, stores, clocks, randomness and transports, put together.

Here: the composition root and the shell that answers for a party. Not here: rules, and what any party decides.
"""
