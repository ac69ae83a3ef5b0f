"""Waking the main thread: for a settled import or a signal, while it waits for the tap."""

from __future__ import annotations

import os
import selectors
from contextlib import suppress


class Wakeup:
    """A pipe to oneself. `set` may be called from any thread and from a signal handler."""

    def __init__(self) -> None:
        """Open the pipe."""
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.set_blocking(self._write_end, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._read_end, selectors.EVENT_READ)
        self._watched: int | None = None
        self._always_ready: int | None = None

    def set(self) -> None:
        """End the current wait, or the next one."""
        # A full pipe wakes as well as one more byte would; a closed one has nobody to wake.
        with suppress(OSError):
            os.write(self._write_end, b"\0")

    def wait(self, seconds: float | None, descriptor: int | None = None) -> bool:
        """Wait until `set` is called, a descriptor can be read, or the time is up.

        Args:
            seconds: How long to wait at most; None for ever.
            descriptor: What to watch besides.

        Returns:
            Whether the descriptor can be read.
        """
        if descriptor is not None and descriptor == self._always_ready:
            return True
        if descriptor != self._watched:
            if self._watched is not None:
                self._selector.unregister(self._watched)
                self._watched = None
            if descriptor is not None:
                try:
                    self._selector.register(descriptor, selectors.EVENT_READ)
                except PermissionError:
                    self._always_ready = descriptor  # a regular file, or /dev/null
                    return True
                self._watched = descriptor
        ready = {key.fd for key, _ in self._selector.select(seconds)}
        if self._read_end in ready:
            with suppress(BlockingIOError):
                while os.read(self._read_end, 4096):
                    pass
        return descriptor in ready

    def close(self) -> None:
        """Close the pipe."""
        self._selector.close()
        ends = (self._read_end, self._write_end)
        # A worker may still call `set`: its byte must not reach whoever gets the number next.
        self._read_end = self._write_end = -1
        for end in ends:
            os.close(end)
