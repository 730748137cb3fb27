"""The vocabulary: what the words of Tiercast mean. Standard library only."""
