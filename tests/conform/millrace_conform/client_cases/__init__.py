"""What a client must do, by topic. Importing this package fills SUITE."""

from .suite import SUITE  # noqa: F401
from . import hello, submit, wait, connection, hostile  # noqa: F401
