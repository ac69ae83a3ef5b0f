"""What a run tells: its progress, its report as JSON and as a page."""
