"""Pure functions from aggregates to numbers: value, interval, bound."""
