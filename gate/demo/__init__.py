"""Real pilots on real data, judged for show."""
