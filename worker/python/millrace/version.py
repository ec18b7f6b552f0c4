"""The version of this package, as it is told to the broker."""

VERSION = "0.1.0"
