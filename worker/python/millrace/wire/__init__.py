"""Values to frames and back. `schema` is what flatc makes of schemas/*.fbs."""
