"""Singer target for Dotdigital."""
