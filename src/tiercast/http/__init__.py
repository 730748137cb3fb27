"""The HTTP service: parse, call a flow, answer. Nothing else."""
