"""Pure numerics: features, labels, splits, models and metrics. No clock, disk, network, environment or log."""
