"""Pieces without a state: marks, links, meters."""
