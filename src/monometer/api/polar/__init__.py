"""Polar's API, as its clients know it: meters, events and customers below `/v1`."""
