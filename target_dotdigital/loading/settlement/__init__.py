"""What became of the rows: reports, counts, rejects, and the gate that lets STATE out."""
