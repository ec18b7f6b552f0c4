"""The worker: a pure session, the process around it, and handlers in threads, loops and
processes."""
