"""The native dialect: OpenMeter's v1 and v2."""
