"""The account that is loaded into: connection and region, data fields, address books, members."""
