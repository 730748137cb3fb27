"""The examples in docstrings are true."""

import doctest
from importlib import import_module
from pkgutil import walk_packages

import pytest

import tiercast

MODULES = [
    module.name for module in walk_packages(tiercast.__path__, "tiercast.") if module.name != "tiercast.__main__"
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    module = import_module(name)
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


def test_there_are_examples_at_all() -> None:
    assert sum(doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS).attempted for name in MODULES) > 50
