"""What a policy may require: one kind a file, pure."""
