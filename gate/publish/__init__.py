"""Reports that people open."""
