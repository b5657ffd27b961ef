"""What is fast, measured beside the raw client in the same run."""
