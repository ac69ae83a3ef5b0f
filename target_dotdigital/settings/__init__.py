"""The settings: their schema, their types, and what is wrong with them."""
