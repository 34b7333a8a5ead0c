"""The policy language: from YAML to a right policy, and nothing but."""
