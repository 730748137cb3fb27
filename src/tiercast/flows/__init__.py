"""The use cases. They take ports and plain values, never settings."""
