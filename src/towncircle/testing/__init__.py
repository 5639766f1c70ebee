"""Parts for tests and rehearsals: clocks that stand still, memories that fail, processes that kill themselves.

Here: what ships for those who rehearse a world. Not here: tests, and anything that production code imports.
"""
