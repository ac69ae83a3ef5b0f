"""The faults that are armed, and which call gets one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec

from target_dotdigital.sandbox.http import route_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_dotdigital.sandbox.faults.faults import Fault
    from target_dotdigital.sandbox.http import RouteTable

EVERY_ROUTE = "*"


class Armed(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that is armed.

    Attributes:
        id: By which it can be disarmed.
        fault: As it was armed.
        skip: How many calls of its route come first, from now on.
        times: How many calls get it, from now on. Without it, all.
    """

    id: int
    fault: Fault
    skip: int
    times: int | None


class ArmedFaults:
    """The faults that are armed. Of those for a call's route, the first one is used up first."""

    def __init__(self, routes: RouteTable, armed: Iterable[Fault] = ()) -> None:
        """Arm what is armed from the start.

        Raises:
            ValueError: A fault's route is none.
        """
        self._routes = routes
        self.released = threading.Event()
        """Set when the server stops: whoever is kept waiting is answered now."""
        self._lock = threading.Lock()
        self._armed: dict[int, Armed] = {}
        self._next_id = 1
        self.arm(list(armed))

    def arm(self, faults: Sequence[Fault]) -> list[Armed]:
        """Arm faults: all of them, or none.

        Raises:
            ValueError: A fault's route is none.
        """
        for fault in faults:
            known = route_name(fault.route) in self._routes.names
            if fault.route != EVERY_ROUTE and not known:
                listed = ", ".join(sorted(self._routes.names))
                message = f"there is no route '{fault.route}'; there are * and {listed}"
                raise ValueError(message)
        with self._lock:
            new = [
                Armed(id=number, fault=fault, skip=fault.skip, times=fault.times)
                for number, fault in enumerate(faults, self._next_id)
            ]
            self._next_id += len(new)
            self._armed.update({one.id: one for one in new})
        return new

    def listed(self) -> list[Armed]:
        """Return what is armed, the oldest first."""
        with self._lock:
            return list(self._armed.values())

    def disarm(self, fault_id: int | None = None) -> bool:
        """Disarm one fault, or all of them.

        Returns:
            Whether there was one of that ID.
        """
        with self._lock:
            if fault_id is not None:
                return self._armed.pop(fault_id, None) is not None
            self._armed.clear()
            return True

    def take(self, route: str) -> Fault | None:
        """Return the fault that a call gets, and count the call.

        Args:
            route: The name of the call's route.
        """
        with self._lock:
            for one in self._armed.values():
                if one.fault.route != EVERY_ROUTE and route_name(one.fault.route) != route:
                    continue
                if one.skip:
                    self._armed[one.id] = msgspec.structs.replace(one, skip=one.skip - 1)
                    continue
                if one.times == 1:
                    del self._armed[one.id]
                elif one.times is not None:
                    self._armed[one.id] = msgspec.structs.replace(one, times=one.times - 1)
                return one.fault
        return None
