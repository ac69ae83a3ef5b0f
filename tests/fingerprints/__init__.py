"""Tests of `target_dotdigital.fingerprints`."""
