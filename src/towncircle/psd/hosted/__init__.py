"""Many devices in one database, hosted by a few processes: the Provider's server.

Here: `Fleet` (`exchange_many([(device, command)]) -> [answer]`), the `Seat` that stands between one device and the
store until its group is committed, bounded caches, the `Funnel` that makes groups of single calls, and the `Pool` of
worker processes with a fleet each. Not here: the device (`psd.device`, the same as behind a pipe), the database
(`psd.postgres`), transports.
Kept: no process per device and no second copy of any rule: a hosted device is `psd.device.Device` over another memory.
Durable before released holds for a group: no answer leaves before the one commit that holds its change.
"""
