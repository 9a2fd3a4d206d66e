"""Where work is done: in this process, in one process per core, or on any executor, a cluster's included."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from typing import Final, TypeVar, cast

import loky

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.validation import whole_number

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")

#: Work that this process finishes within so many seconds is not worth starting others for.
_SHORT: Final = 3.0


class ExecutorError(InvalidInputError):
    """The executor cannot run the work."""


def check_place(executor: Executor | None, workers: int | None) -> int:
    """Number of processes without an executor, default one per core.

    Raises
    ------
    ExecutorError
        If both are given, or one is not what it should be.
    """
    if workers is not None:
        if executor is not None:
            raise ExecutorError(
                f"workers must be left out with an executor, got {workers!r}: the executor has its own."
            )
        return whole_number("workers", workers, 1, "it is a number of processes")
    if executor is not None and not isinstance(executor, Executor):
        raise ExecutorError(
            f"executor must be a concurrent.futures.Executor, got {type(executor).__name__}: for a dask client "
            "pass client.get_executor()."
        )
    return int(loky.cpu_count())


def run(
    function: Callable[[_Job], _Result], jobs: Sequence[_Job], executor: Executor | None, workers: int | None
) -> Iterator[tuple[int, _Result]]:
    """(index, result) of each job, in the order in which they finish.

    Parameters
    ----------
    function : callable
        Applied to each job; the executor must be able to pickle it.
    jobs : sequence
        What to work on.
    executor : concurrent.futures.Executor, optional
        Where to work. Default: this process, joined by one process per core once that pays.
    workers : int, optional
        Number of processes without an `executor`. Default: one per core.

    Raises
    ------
    ExecutorError
        If `executor` is not one, has been shut down, breaks, or cannot send the work.
    """
    processes = check_place(executor, workers)
    if executor is not None:
        yield from _spread(function, list(enumerate(jobs)), executor)
        return
    waiting = list(enumerate(jobs))
    started = time.perf_counter()
    done = 0
    while waiting:
        # The first job may compile; later ones tell how long the rest will take.
        if processes > 1 and done > 1:
            spent = time.perf_counter() - started
            if spent > _SHORT / 2 and spent / done * len(waiting) > _SHORT:
                yield from _spread(function, waiting, one_per_core(processes))
                return
        index, job = waiting.pop(0)
        yield index, function(job)
        done += 1
        if done == 1:
            started = time.perf_counter()


def one_per_core(processes: int | None = None) -> Executor:
    """Processes that stay warm between calls and end with this one; default one per core."""
    return cast(
        Executor,
        loky.get_reusable_executor(processes or loky.cpu_count(), initializer=_end_with, initargs=(os.getpid(),)),
    )


def _end_with(parent: int) -> None:
    """In a worker: end once `parent` is gone. If that was killed nobody will collect what the worker does."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _spread(
    function: Callable[[_Job], _Result], jobs: list[tuple[int, _Job]], executor: Executor
) -> Iterator[tuple[int, _Result]]:
    kind = type(executor).__name__
    futures: dict[Future[_Result], int] = {}
    try:
        try:
            for index, job in jobs:
                futures[executor.submit(function, job)] = index
        except Exception as error:  # each kind of executor has its own, a closed dask client for one
            raise ExecutorError(
                f"the {kind} takes no work ({error}): pass one that has not been shut down and can pickle the student."
            ) from error
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenExecutor as error:
        raise ExecutorError(
            f"the {kind} broke while working ({error}): a worker died, perhaps for want of memory; use fewer workers."
        ) from None
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        if "pickle" not in str(error) and "local object" not in str(error):
            raise
        raise ExecutorError(
            f"the {kind} cannot send the work to its processes ({error}): leave out the executor, or define keep "
            "probability and student at the top level of a module."
        ) from None
    finally:
        for future in futures:
            future.cancel()
