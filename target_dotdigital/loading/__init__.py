"""From contacts to loads: batches, their queue, and what brings each to its end."""
