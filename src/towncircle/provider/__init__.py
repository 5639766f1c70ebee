"""The Provider: licensing on behalf of applicants, leasing, devices, resetting, audits.

Here: what a Provider decides, in its own words. Not here: other parties, transports, SQL.
Its files follow the rule: `licensing.py` is 502.20(b), `leasing.py` 502.20(a) and (c), `inventory.py` the custody of
devices, `resetting.py` P050 3.0 and 502.25, `audits.py` 502.23, `checkouts.py` P050 2.9, 502.20(e) and 502.27(b),
`accounts.py` the CMRS subledgers.
"""
