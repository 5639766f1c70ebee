"""Single calls of many callers, gathered into groups.

Here: `Funnel`: while one group is committed, the commands that come in wait and become the next one, so that many
callers share one commit; `Lanes`: a funnel for each worker of a pool. Not here: the group itself (`fleet`).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.psd.hosted.fleet import MAX_GROUP
from towncircle.psd.hosted.pool import Pool

_Asked = tuple[DeviceId, bytes, "Future[bytes]"]
_WAITING = 4 * MAX_GROUP


class Host(Protocol):
    """Run commands of many devices: a fleet, or a pool of them."""

    def exchange_many(self, asked: Sequence[tuple[DeviceId, bytes]]) -> list[bytes]:
        """Give the answers in order."""
        ...


class Funnel:
    """Run single commands of many threads in groups over one host."""

    def __init__(self, fleet: Host) -> None:
        self._fleet = fleet
        self._asked: queue.Queue[_Asked | None] = queue.Queue(_WAITING)
        self._groups = ThreadPoolExecutor(max_workers=1)
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    def exchange(self, device: DeviceId, command: bytes) -> bytes:
        """Give the answer of one command. Raises `Refused` (psd.host-busy)."""
        answer: Future[bytes] = Future()
        try:
            self._asked.put_nowait((device, command, answer))
        except queue.Full as error:
            raise Refused("psd.host-busy") from error
        return answer.result()

    def close(self) -> None:
        """Finish what waits and end."""
        self._asked.put(None)
        self._worker.join()
        self._groups.shutdown()

    def _work(self) -> None:
        while (first := self._asked.get()) is not None:
            group, over = [first], False
            while len(group) < MAX_GROUP and not over:
                try:
                    asked = self._asked.get_nowait()
                except queue.Empty:
                    break
                if asked is None:
                    over = True
                else:
                    group.append(asked)
            self._run(group)
            if over:
                return

    def _run(self, group: list[_Asked]) -> None:
        """Run a group. A defect goes to each of its callers, and the next group is run all the same."""
        done = self._groups.submit(self._fleet.exchange_many, [(device, command) for device, command, _ in group])
        error = done.exception()
        for at, (_, _, waiting) in enumerate(group):
            if error is not None:
                waiting.set_exception(error)
            else:
                waiting.set_result(done.result()[at])


class Lanes:
    """Run single commands of many threads over a pool, with a funnel for each worker: one that hangs stops its own."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._funnels = [Funnel(worker) for worker in pool.workers]

    def exchange(self, device: DeviceId, command: bytes) -> bytes:
        """Give the answer of one command. Raises `Refused` (psd.host-busy)."""
        return self._funnels[self._pool.place(device)].exchange(device, command)

    def close(self) -> None:
        """Finish what waits and end, the workers too."""
        for funnel in self._funnels:
            funnel.close()
        self._pool.close()
