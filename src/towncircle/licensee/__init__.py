"""The licensee: the mailroom, its host, departments and funds.

Here: what happens at the customer's side, in its own words. Not here: other parties, transports, SQL, pixels.
`setup.py` applies and leases, `funds.py` deposits, resets and contacts, `mailroom.py` prices and evidences pieces,
`departments.py` keeps who may spend what.
"""
