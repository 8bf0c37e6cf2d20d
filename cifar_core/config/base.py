"""What all settings have in common."""
