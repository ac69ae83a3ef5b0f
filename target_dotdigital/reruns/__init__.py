"""Files of an earlier run that are loaded: rejected rows once more, or whom a mirror took out."""

from __future__ import annotations

from target_dotdigital.reruns.replay import open_replay
from target_dotdigital.reruns.rerun import Rerun
from target_dotdigital.reruns.undo import open_undo

__all__ = [
    "Rerun",
    "open_replay",
    "open_undo",
]
