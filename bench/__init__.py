"""Limits and product, measured side by side: `python -m bench`, `python -m bench --quick`."""
