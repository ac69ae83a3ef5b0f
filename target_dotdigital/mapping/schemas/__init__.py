"""What a stream's JSON schema says: types, excerpts of what is used, validation."""
