"""`towncircle demo --chapter regulation`: a year of one Provider, in which every procedure of the rule occurs.

Here: the calendar (`year`), the town (`town`), the scenes with their proofs (`scenes/`, `procedures`), the counting
(`census`, `closing`), the telling (`chapter`). Not here: any rule or decision: all goes by the parties' own journeys.
"""
