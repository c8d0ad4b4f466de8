"""What is asked at every point: the interface of a question, and plain functions as questions."""

from __future__ import annotations

import inspect
import math
import numbers
import pickle
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from axon.errors import AxonError, unknown_name
from axon.model import to_json
from axon.run import Run
from axon.sweeps.limits import OutOfTime, time_limit
from axon.sweeps.points import RESERVED, Point, Row, content_of, digest, seed_of


class Question(ABC):
    """What is asked at every point. It travels to the workers, so it can be pickled or stays in threads."""

    name: str
    units: Mapping[str, str]  # of its answers, as far as they are known
    seed: int | None  # of the sweep, where chance plays a part; None where it plays none

    @abstractmethod
    def identity(self) -> Any:
        """What makes it this question and no other, as JSON can hold it."""

    @abstractmethod
    def check(self, names: Iterable[str]) -> None:
        """Raise ``ValueError`` unless it can be asked of points with these parameters."""

    @abstractmethod
    def answer(self, points: list[Point], limit: float | None) -> list[Row]:
        """The rows of some points; ``limit`` is the time (s) that each may take."""

    def sizes(self, count: int) -> int | None:
        """How many of ``count`` points go to a worker together; None when that may follow the clock."""
        return None


@dataclass
class Function(Question):
    """A plain function of the parameters.

    Parameters
    ----------
    function : callable
        Called with every parameter by name. It returns a number, a mapping of names to numbers, or a ``Run``,
        whose velocity is then the answer.
    fixed : mapping
        Parameters that are the same at every point, of any kind.
    units : mapping of str to str
        Of the answers.
    seed : int
        Of the sweep; a function with a parameter ``seed`` gets one of its own for every point.
    keep : path, optional
        Folder for the runs that it returns.
    """

    function: Callable[..., Any]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = 0
    keep: Path | None = None

    def __post_init__(self) -> None:
        self.name = getattr(_bare(self.function), "__name__", type(self.function).__name__)
        if self.name == "<lambda>":
            self.name = "answer"
        if "seed" not in _parameters(self.function):
            self.seed = None

    def identity(self) -> Any:
        return ["function", source_of(self.function), _content(self.fixed), self.seed]

    def check(self, names: Iterable[str]) -> None:
        check_parameters(self.function, f"question {self.name!r}", [*names, *self.fixed, "seed"])
        if self.keep is not None:
            self.keep.mkdir(exist_ok=True)

    def answer(self, points: list[Point], limit: float | None) -> list[Row]:
        return [timed(partial(self._answers, point), limit) for point in points]

    def _answers(self, point: Point) -> dict[str, float]:
        chance = {} if self.seed is None else {"seed": seed_of(point, self.seed)}
        value = self.function(**self.fixed, **chance, **point)
        if isinstance(value, Run):
            if self.keep is not None:
                value.save(self.keep / run_name(point))
            value = {"velocity": value.velocity().value}
        answers = numbers_of(value, self.name)
        twice = (answers.keys() & point.keys()) | (answers.keys() & set(RESERVED))
        if twice:
            raise ValueError(
                f"an answer cannot be called {sorted(twice)[0]!r}: there is such a column already"
            )
        return answers

    def portable(self) -> bool:
        """Whether another process can be given the function."""
        try:
            pickle.dumps(self)
        except (pickle.PicklingError, AttributeError, TypeError):
            return False
        return True


def check_parameters(function: Any, what: str, given: Iterable[str]) -> None:
    """Raise ``ValueError`` unless a function can be called with these names; a ``seed`` it need not take."""
    known, names = _parameters(function), set(given)
    if inspect.Parameter.VAR_KEYWORD not in known.values():
        for name in sorted(names - known.keys() - {"seed"}):
            raise ValueError(f"{what}: {unknown_name('parameter', name, known)}")
    needed = [name for name, kind in known.items() if kind is None and name not in names]
    if needed:
        raise ValueError(f"{what} needs a value for {', '.join(needed)}; put it into over or fixed")


def run_name(point: Point) -> str:
    """File name of the run that is kept of a point."""
    return f"{digest(content_of(point))[:16]}.h5"


def timed(answers: Callable[[], dict[str, float]], limit: float | None) -> Row:
    """The row of one point: its answers, or the reason why there are none."""
    began = time.perf_counter()
    try:
        with time_limit(limit):
            found = answers()
    except OutOfTime:
        return Row({}, f"took longer than the time limit of {limit:g} s", time.perf_counter() - began)
    except (Exception, SystemExit) as error:  # whatever a user's function raises is the reason of its row
        return Row({}, reason_of(error), time.perf_counter() - began)
    return Row(found, "", time.perf_counter() - began)


def reason_of(error: BaseException) -> str:
    """An error in one line; one of ours speaks for itself."""
    text = " ".join(str(error).split())
    if isinstance(error, AxonError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def numbers_of(value: Any, name: str) -> dict[str, float]:
    """What a question returned, as answers by name; ``ValueError`` where that is no number or mapping."""
    if isinstance(value, Mapping):
        return {str(key): _number(own, str(key)) for key, own in value.items()}
    return {name: _number(value, name)}


def _number(value: Any, name: str) -> float:
    if isinstance(value, np.ndarray) and value.shape != ():
        raise ValueError(
            f"the question must return numbers, but {name!r} is an array of shape {value.shape}; return one "
            "number, or a mapping of names to numbers"
        )
    if not isinstance(value, numbers.Real | np.bool_ | np.ndarray) and not hasattr(value, "__float__"):
        raise ValueError(
            f"the question must return numbers, but {name!r} is {str(value):.60}; return one number, or a "
            "mapping of names to numbers"
        )
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name!r} is {number}; leave out an answer that does not exist, or raise an error")
    return number


def source_of(function: Any) -> list[Any]:
    """What a function does, as JSON can hold it: its source, defaults, and plain values that it closes over.

    Other functions that it calls are not looked into.
    """
    if isinstance(function, partial):
        return ["partial", source_of(function.func), _content(function.args), _content(function.keywords)]
    bare = _bare(function)
    if hasattr(bare, "identity"):
        return ["object", bare.identity()]
    if not inspect.isfunction(bare):
        return [f"{type(bare).__module__}.{type(bare).__qualname__}", repr(bare)]
    try:
        text = inspect.getsource(bare)
    except (OSError, TypeError):
        text = f"{bare.__code__.co_code.hex()} {bare.__code__.co_consts!r} {bare.__code__.co_names!r}"
    closed = [cell.cell_contents for cell in bare.__closure__ or ()]
    return [bare.__qualname__, text, _content(bare.__defaults__), _content(closed)]


def _content(value: Any) -> Any:
    """Any value as JSON can hold it, so that equal ones come out equal in every process."""
    try:
        return to_json(value)
    except TypeError:
        pass
    if isinstance(value, Mapping):
        return {str(key): _content(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_content(own) for own in value]
    if isinstance(value, np.ndarray):
        return [value.dtype.str, value.shape, value.tolist()]
    if type(value).__repr__ is object.__repr__:  # which would name an address
        return f"{type(value).__module__}.{type(value).__qualname__}"
    return repr(value)


def _bare(function: Any) -> Any:
    while isinstance(function, partial):
        function = function.func
    return inspect.unwrap(function)


def _parameters(function: Any) -> dict[str, Any]:
    """Names of what a function takes by name: None where it must be given, ``VAR_KEYWORD`` where it takes
    any."""
    found: dict[str, Any] = {}
    for name, one in inspect.signature(function).parameters.items():
        if one.kind is inspect.Parameter.VAR_KEYWORD:
            found[name] = one.kind
        elif one.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
            found[name] = None if one.default is inspect.Parameter.empty else "optional"
    return found
