"""The mailpiece: its price, its address, its geometry and the page that will be printed.

Here: dated prices with explanations (`rates`), addresses (`addresses`), zones and the page model (`geometry`,
`page`) and the lints that read it (`lints`). Not here: money that moves, keys, pixels (`towncircle.paper` draws).
"""
