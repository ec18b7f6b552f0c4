"""What a worker must do, by topic. Importing this package fills SUITE."""

from .suite import SUITE  # noqa: F401
from . import hello, work, completions, session, beats, stops, drain, hostile  # noqa: F401
