"""What gate says about itself."""
