"""Tests of target-dotdigital."""
