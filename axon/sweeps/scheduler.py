"""Many machines: the executor of a Dask scheduler, by its address."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from axon.errors import AxonError

_PATIENCE_S = 10.0


@contextmanager
def dask_executor(address: str | None) -> Iterator[Executor | None]:
    """An executor of the Dask scheduler at an address such as ``"tcp://host:8786"``; none without address.

    Raises
    ------
    AxonError
        When there is no scheduler, or it has no workers.
    ImportError
        When dask.distributed is not installed.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        raise ImportError(
            'a scheduler needs dask.distributed; install it with pip install "axon[dask]"'
        ) from None
    try:
        client = Client(address, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise AxonError(
            f"there is no Dask scheduler at {address} ({reason}); start one with `dask scheduler`"
        ) from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise AxonError(
                f"the scheduler at {address} has no workers; start some with `dask worker {address}`"
            )
        yield client.get_executor(pure=False)
