"""The Postal Service: licenses, certificates, the register of all devices, the trust account, scans.

Here: what the Postal Service decides, in its own words. Not here: other parties, transports, SQL.
Its files follow the rule: `licenses.py` is P050 2.0, `certificates.py` 502.28, `population.py` 502.8 (total population
management), `withdrawals.py` 502.20(e) and 502.27(b), `trust.py` the funds of 502.25(c), `scans.py` what a facility
records, `publishing.py` what verifiers hold.
"""
