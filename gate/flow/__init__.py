"""The pipeline from a request to a stored verdict, and the ports it needs."""
