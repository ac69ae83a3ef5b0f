"""The fault matrix: what can go wrong, and the invariants that hold after every case."""
