"""A gate server, as a pipeline asks it."""
