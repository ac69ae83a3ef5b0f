"""What a run would do: it reads and compares, and writes nothing."""
