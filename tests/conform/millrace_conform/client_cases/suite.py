"""The cases for clients."""

from ..case import Suite

SUITE = Suite()
case = SUITE.case
