"""Decisions that need I/O. Transactions begin and end here."""
