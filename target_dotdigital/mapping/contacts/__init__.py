"""A contact on its way: its identifiers, its JSON, and the rows that it was made of."""
