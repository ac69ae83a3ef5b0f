"""What goes wrong on purpose: switches, faults on demand, call limits."""
