"""How bytes arrive; nothing of what they mean."""
