"""The conformance kit: plays the broker to a worker or a client under test; see ../README.md.

It reads and writes the wire with code of its own (`schema`, `flatbuffer`, `wire`), made from the
schemas and docs/protocol.md alone, so that it shares no mistake with the libraries it judges.
"""
