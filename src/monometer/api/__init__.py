"""The edges: HTTP in its dialects. A route parses, calls and renders; it decides nothing."""
