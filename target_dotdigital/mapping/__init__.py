"""From a record to a contact: paths, values, consent, validation, and the fast path."""
