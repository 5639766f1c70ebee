"""The device: a postal security device (PSD) that one can trust with money.

Here: the pure automaton (`automaton`), the registers and their law, key slots, self-tests, the memory port with its
adapters, and the byte port `exchange(command) -> bytes` with a typed client and a child process around it.
Not here: rates, licensees, HTTP routes, custody (which is the Provider's record).
Kept: it signs only what it built from its own registers; it is durable before it is released; an illegal command
changes nothing and names the legal ones. Built to the shape of FIPS 140-3, not validated (SECURITY.md).

Where to start reading: `states` (what a device may do when), `automaton` (how a command is decided), `device` (how a
decision is signed, stored and released).
"""
