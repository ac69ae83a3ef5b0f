"""`python -m target_dotdigital`."""

from __future__ import annotations

from target_dotdigital.target import TargetDotdigital

TargetDotdigital.cli()
