"""What is imported stays to the end, and is not looked at again and again."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def for_good() -> Iterator[None]:
    """What is imported meanwhile stays to the end, and the garbage collector never has to look at it.

    That saves a twentieth of the start, and then most of each full collection, during which all else waits.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
