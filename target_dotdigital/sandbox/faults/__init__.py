"""What goes wrong on purpose, and what is answered otherwise than by default.

Switches for what Dotdigital's documents leave open, faults on demand, and rate limits.
"""

from target_dotdigital.sandbox.faults.armed_faults import ArmedFaults
from target_dotdigital.sandbox.faults.faults import Fault, read_fault_file, read_faults
from target_dotdigital.sandbox.faults.injection import ConnectionProtocol, FaultMiddleware
from target_dotdigital.sandbox.faults.open_questions import Switches
from target_dotdigital.sandbox.faults.rate_limits import (
    FLAT_CALLS,
    FLAT_SECONDS,
    FlatLimit,
    RateLimitMiddleware,
    TierLimits,
    read_limits,
)
from target_dotdigital.sandbox.faults.switches import explain, read_switches

__all__ = [
    "FLAT_CALLS",
    "FLAT_SECONDS",
    "ArmedFaults",
    "ConnectionProtocol",
    "Fault",
    "FaultMiddleware",
    "FlatLimit",
    "RateLimitMiddleware",
    "Switches",
    "TierLimits",
    "explain",
    "read_fault_file",
    "read_faults",
    "read_limits",
    "read_switches",
]
