"""Togai's dialect, at `/togai`."""
