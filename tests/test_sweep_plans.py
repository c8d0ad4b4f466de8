"""Plans: which points they ask for, and boundaries whose place is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import axon
from axon.sweeps.boundary import boundary_of


def disc(x: float, y: float) -> bool:
    return x**2 + y**2 < 1


def test_grid_is_every_combination_and_the_last_parameter_runs_fastest() -> None:
    points = axon.Grid({"Na.conductance": [0.1]}, a=[1, 2], b=["x", "y"]).points()
    assert [tuple(point.values()) for point in points] == [
        (0.1, 1, "x"),
        (0.1, 1, "y"),
        (0.1, 2, "x"),
        (0.1, 2, "y"),
    ]


def test_zipped_takes_lists_side_by_side() -> None:
    assert axon.Zipped(a=[1, 2], b=[3, 4]).points() == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]
    with pytest.raises(ValueError, match="equal length"):
        axon.Zipped(a=[1, 2], b=[3])


@pytest.mark.parametrize("kind", [axon.Random, axon.LatinHypercube, axon.Sobol])
def test_samples_fill_their_ranges_and_come_again_with_their_seed(kind: type) -> None:
    plan = kind(64, a=(2.0, 3.0), b=axon.Span(1, 100, scale="log"), seed=5)
    a, b = (np.array([point[name] for point in plan.points()]) for name in ("a", "b"))
    assert a.min() >= 2 and a.max() <= 3 and b.min() >= 1 and b.max() <= 100
    assert 0.3 < (b < 10).mean() < 0.7  # half of it below the geometric middle
    assert kind(64, a=(2.0, 3.0), b=axon.Span(1, 100, scale="log"), seed=5).points() == plan.points()
    assert kind(64, a=(2.0, 3.0), b=axon.Span(1, 100, scale="log"), seed=6).points() != plan.points()


def test_latin_hypercube_puts_one_point_into_every_stratum() -> None:
    a = [point["a"] for point in axon.LatinHypercube(50, a=(0, 50), b=(0, 1)).points()]
    assert sorted(np.floor(a)) == list(range(50))


def test_sobol_doubled_contains_its_first_half() -> None:
    assert axon.Sobol(32, a=(0, 1), b=(0, 1)).points()[:16] == axon.Sobol(16, a=(0, 1), b=(0, 1)).points()
    with pytest.raises(ValueError, match="power of two, got 10; use 8 or 16"):
        axon.Sobol(10, a=(0, 1)).points()


def test_samples_may_follow_a_distribution() -> None:
    drawn = [point["d"] for point in axon.LatinHypercube(200, d=norm(5, 2)).points()]
    assert np.mean(drawn) == pytest.approx(5, abs=0.02) and np.std(drawn) == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: axon.Grid(), "at least one parameter"),
        (lambda: axon.Random(0, a=(0, 1)), "points must be"),
        (lambda: axon.Random(3, a=[1, 2, 3]), "must be a range"),
        (lambda: axon.Span(2, 1), "low < high"),
        (lambda: axon.Span(0, 1, scale="log"), "must be > 0"),
        (lambda: axon.Span(0, 1, scale="lin"), "did you mean 'linear'"),
        (lambda: axon.Boundary("y", (0, 1), over={"y": [1]}), "at once"),
        (lambda: axon.Boundary("y", (0, 1), refine=0.1), "exactly one other parameter"),
        (lambda: axon.Boundary("y", (0, 1), accuracy=0), "must be > 0"),
        (lambda: axon.Grid({"a/b": [1]}), "without '/'"),
        (lambda: axon.Grid(a=[float("nan")]), "finite numbers"),
    ],
)
def test_plan_that_cannot_be_meant_is_refused(make: object, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        make()  # type: ignore[operator]
    assert words in str(caught.value)


def test_boundary_of_a_disc_is_its_circle_and_is_refined_where_it_bends() -> None:
    plan = axon.Boundary("y", (0, 2), over={"x": [0.0, 0.45, 0.9]}, accuracy=1e-4, refine=1e-3)
    edge = axon.sweep(disc, plan, progress=False).boundary()
    np.testing.assert_allclose(edge["y"], np.sqrt(1 - edge["x"] ** 2), rtol=0, atol=2e-4)
    assert (np.abs(edge["y"] - np.sqrt(1 - edge["x"] ** 2)) <= edge["half_width"] + 1e-12).all()
    gaps = np.diff(edge["x"])
    assert gaps[-1] < gaps[0]  # the circle is steeper there
    chord = np.interp(0.5 * (edge["x"][1:] + edge["x"][:-1]), edge["x"], edge["y"])
    assert np.abs(chord - np.sqrt(1 - (0.5 * (edge["x"][1:] + edge["x"][:-1])) ** 2)).max() < 2e-3


def test_boundary_that_is_not_there_is_nan_and_one_that_turns_the_other_way_is_found() -> None:
    plan = axon.Boundary("y", (0, 0.5), over={"x": [0.0, 0.95, 2.0]})
    edge = axon.sweep(disc, plan, progress=False).boundary()
    assert np.isnan(edge["y"]).tolist() == [True, False, True]

    def above(y: float) -> bool:
        return y > 3.21

    edge = axon.sweep(above, axon.Boundary("y", axon.Span(1, 10, scale="log")), progress=False).boundary()
    assert edge["y"][0] == pytest.approx(3.21, rel=2 * 2.4e-3)


def test_straight_boundary_needs_no_more_points_than_show_that_it_is() -> None:
    def below(x: float, y: float) -> bool:
        return y < 0.3 + 0.5 * x

    plan = axon.Boundary("y", (0, 2), over={"x": [0.0, 1.0, 2.0]}, accuracy=1e-4, refine=1e-2)
    edge = axon.sweep(below, plan, progress=False).boundary()
    assert edge["x"].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    np.testing.assert_allclose(edge["y"], 0.3 + 0.5 * edge["x"], rtol=0, atol=2e-4)


def test_boundary_is_the_middle_of_the_narrowest_bracket_that_turns() -> None:
    rows = {"x": np.array([1.0] * 4 + [2.0] * 4), "y": np.array([0.0, 1.0, 2.0, 6.0] * 2)}
    answer = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 1.0, np.nan, 0.0])
    edge = boundary_of({"kind": "boundary", "along": "y"}, rows, answer)
    assert edge["x"].tolist() == [1.0, 2.0]
    assert edge["y"].tolist() == [0.5, 3.5] and edge["half_width"].tolist() == [0.5, 2.5]


def test_a_range_is_gone_through_evenly_or_in_equal_ratios() -> None:
    assert axon.Span(1.0, 100.0, scale="log").ppf([0.0, 0.25, 0.5, 1.0]) == pytest.approx(
        [1, 10**0.5, 10, 100]
    )
    assert axon.Span(1.0, 100.0).ppf([0.0, 0.25, 1.0]) == pytest.approx([1, 25.75, 100])


def test_boundary_goes_on_from_its_file(tmp_path: object) -> None:
    path = f"{tmp_path}/edge.h5"
    coarse = axon.sweep(disc, axon.Boundary("y", (0, 2), over={"x": [0.3]}, accuracy=0.05), to=path)
    fine = axon.sweep(disc, axon.Boundary("y", (0, 2), over={"x": [0.3]}, accuracy=1e-3), to=path)
    assert fine.computed == len(fine) - len(coarse) > 0
    with pytest.raises(axon.AxonError, match="no boundary"):
        axon.sweep(disc, {"x": [1], "y": [1]}).boundary()
