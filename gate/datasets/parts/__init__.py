"""Profile parts: the SQL of each request, and the arrays made of what comes back."""
