"""Dotdigital's HTTP API: calls, retries, call limits, transport, typed replies, background jobs."""
