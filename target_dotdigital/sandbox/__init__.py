"""A local Dotdigital: a real HTTP server that behaves as Dotdigital's API does.

It knows nothing of the target, and any client of Dotdigital can be pointed at it.
"""

from __future__ import annotations

try:
    import starlette as _starlette  # noqa: F401 - only whether it is there
    import uvicorn as _uvicorn  # noqa: F401 - only whether it is there
except ImportError as error:
    message = "it needs the extra: pip install 'target-dotdigital[sandbox]'"
    raise ImportError(message) from error

from target_dotdigital.sandbox.embedded import EmbeddedSandbox
from target_dotdigital.sandbox.options import Options
from target_dotdigital.sandbox.server import SandboxServer

__all__ = ["EmbeddedSandbox", "Options", "SandboxServer"]
