"""The cases for workers."""

from ..case import Suite

SUITE = Suite()
case = SUITE.case
