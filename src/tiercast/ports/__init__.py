"""What the flows ask of the world: Protocols of at most seven verbs, each with an embedded and a scaled adapter."""
