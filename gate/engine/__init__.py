"""Durable work: evaluations survive whatever dies, and each runs in a process that can be ended."""
