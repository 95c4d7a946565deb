"""Pieces of tests/tools/run-farm."""
