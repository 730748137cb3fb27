"""Tiercast keeps a short-video performance model fresh and never lets a bad one into production."""

__version__ = "0.1.0"
