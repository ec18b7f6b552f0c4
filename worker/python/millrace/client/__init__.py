"""The client: a pure session, a thread that owns it and its sockets, and calls for threads and for
asyncio."""
