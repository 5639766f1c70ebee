"""Who composes the pages of a batch: this process, or workers beside it, so that all cores are busy.

Here: `crew`, which maps a function over tasks in their order. Not here: what is composed (`composing`).
Kept: results come in the order of the tasks, and few tasks are under way, so that memory stays small. A worker ends
when its pipe closes, also where this process was killed; Ctrl-C in a terminal is for this process alone. What a worker
could not do it tells, and what it raises is raised here.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeVar

from towncircle.kernel.errors import Refused

MOST_WORKERS = 4
T = TypeVar("T")
R = TypeVar("R")


class Crew(Protocol):
    """Map a function over tasks."""

    def map(self, work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Give the result of each task in turn; a task is asked for while earlier ones are under way."""
        ...


class _Here:
    """Do each task in this process, when its turn comes."""

    def map(self, work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        return map(work, tasks)


class _Beside:
    """Give tasks to workers, to each one at a time."""

    def __init__(self, ends: list[Connection[Any, Any]]) -> None:
        self._idle = ends

    def map(self, work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        busy: deque[Connection[Any, Any]] = deque()
        for task in tasks:
            result: list[R] = []
            if not self._idle:
                end = busy.popleft()
                result, self._idle = [_answer(end)], [end]
            end = self._idle.pop()
            _send(end, (work, task))
            busy.append(end)
            yield from result
        while busy:
            end = busy.popleft()
            result = [_answer(end)]
            self._idle.append(end)
            yield from result


@contextmanager
def crew(*, beside: bool) -> Iterator[Crew]:
    """Give a crew: a worker for each core, or this process alone."""
    if not beside:
        yield _Here()
        return
    context, ends, workers = get_context("spawn"), [], []
    for _ in range(min(_cores(), MOST_WORKERS)):
        mine, theirs = context.Pipe()
        worker = context.Process(target=_serve, args=(theirs,), daemon=True)
        worker.start()
        theirs.close()
        ends.append(mine)
        workers.append(worker)
    try:
        yield _Beside(list(ends))
    finally:
        for end in ends:
            end.close()
        for worker in workers:
            worker.join(5)
            worker.kill()


def _cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _send(end: Connection[Any, Any], task: object) -> None:
    try:
        end.send(task)
    except OSError as error:
        raise Refused("batch.worker-gone") from error


def _answer(end: Connection[Any, Any]) -> Any:
    try:
        error, result = end.recv()
    except (EOFError, OSError) as gone:
        raise Refused("batch.worker-gone") from gone
    if error is not None:
        raise error
    return result


def _serve(end: Connection[Any, Any]) -> None:
    """Do what comes down the pipe until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            work, task = end.recv()
        except (EOFError, OSError):
            return
        answer: tuple[OSError | None, Any]
        try:
            answer = (None, work(task))
        except OSError as error:
            answer = (error, None)
        try:
            end.send(answer)
        except OSError:
            return
