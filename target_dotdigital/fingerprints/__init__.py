"""Fingerprints: each stream's contacts as they were last settled, so that only changes are sent."""

from __future__ import annotations

from target_dotdigital.fingerprints.compiled_terms import terms_of
from target_dotdigital.fingerprints.fingerprints import Fingerprints
from target_dotdigital.fingerprints.stored_file import check_fingerprints
from target_dotdigital.fingerprints.stream_fingerprints import StreamFingerprints
from target_dotdigital.fingerprints.terms import StreamTerms

__all__ = [
    "Fingerprints",
    "StreamFingerprints",
    "StreamTerms",
    "check_fingerprints",
    "terms_of",
]
