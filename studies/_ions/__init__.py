"""What the study of ions and pump draws."""
