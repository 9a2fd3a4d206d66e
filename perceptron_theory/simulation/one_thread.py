"""One BLAS thread while trials run, whoever runs them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from threadpoolctl import ThreadpoolController


class _OneThread:
    """One BLAS thread for whoever is inside, and afterwards as many as before.

    More would gain nothing, beside as many processes, and could change the last bit of a sum. Some libraries have a
    limit for each thread, most have one for the process. The first of several threads to enter sets the latter and the
    last to leave lifts it; as threadpoolctl wants the same thread to do both, one is kept for that.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._controller: ThreadpoolController | None = None

    @contextmanager
    def limited(self) -> Iterator[None]:
        with self._lock:
            if self._controller is None:
                # Looking for libraries takes a millisecond, and would find no others the next time.
                self._controller = ThreadpoolController()
            controller = self._controller
            if self._inside == 0:
                self._set, self._lift = threading.Event(), threading.Event()
                self._keeper = threading.Thread(target=self._keep, args=(controller,), daemon=True)
                self._keeper.start()
                self._set.wait()
            self._inside += 1
        try:
            with controller.limit(limits=1, user_api="blas"):
                yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    self._lift.set()
                    self._keeper.join()

    def _keep(self, controller: ThreadpoolController) -> None:
        with controller.limit(limits=1, user_api="blas"):
            self._set.set()
            self._lift.wait()


one_blas_thread: Final = _OneThread().limited
