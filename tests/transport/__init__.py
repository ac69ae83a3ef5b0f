"""Single exchanges over real sockets."""
