"""Evidence from profiles, measured through Evidently."""
