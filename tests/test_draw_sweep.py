"""Pictures of sweeps: the kind that the points ask for, with what was measured on the right axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import axon
from axon.draw.sweep import plot_sweep


def hill(x: float, y: float = 0.0) -> float:
    if x > 8:
        raise ValueError("too far")
    return x - 2 * y


def inside(x: float, y: float) -> bool:
    return x + y < 1


def test_one_parameter_is_a_curve_and_failures_are_crosses(tmp_path: Path) -> None:
    found = axon.sweep(hill, {"x": np.arange(10.0)}, units={"x": "um", "hill": "mV"}, progress=False)
    page = plot_sweep(found, tmp_path / "curve.png")
    (ax,) = page.axes
    curve, crosses = ax.lines
    np.testing.assert_array_equal(curve.get_xdata(), np.arange(10.0))
    np.testing.assert_array_equal(np.asarray(curve.get_ydata())[:9], np.arange(9.0))
    assert crosses.get_xdata().tolist() == [9.0]
    assert ax.get_xlabel() == "x (µm)" and ax.get_ylabel() == "hill (mV)"
    assert (tmp_path / "curve.png").stat().st_size > 1000


def test_few_values_of_a_second_parameter_are_curves_of_their_own() -> None:
    page = plot_sweep(axon.sweep(hill, {"x": range(6), "y": [0, 1, 2]}, progress=False))
    assert [text.get_text() for text in page.axes[0].get_legend().get_texts()] == ["0", "1", "2"]


def test_two_parameters_in_a_grid_are_a_map() -> None:
    found = axon.sweep(hill, {"y": np.arange(9.0), "x": np.arange(10.0)}, progress=False)
    ax = plot_sweep(found).axes[0]
    shown = np.asarray(ax.collections[0].get_array()).reshape(9, 10)
    np.testing.assert_array_equal(shown[:, :9], found["hill"].reshape(9, 10)[:, :9])
    assert ax.get_xlabel() == "x" and ax.get_ylabel() == "y"


def test_boundary_is_a_line_between_what_works_and_what_does_not() -> None:
    found = axon.sweep(inside, axon.Boundary("y", (-1, 2), over={"x": [0.0, 0.5, 1.0]}), progress=False)
    works, fails, edge = plot_sweep(found).axes[0].lines
    assert (works.get_ydata() < 1 - works.get_xdata()).all()
    assert (fails.get_ydata() >= 1 - fails.get_xdata()).all()
    np.testing.assert_allclose(edge.get_ydata(), [1, 0.5, 0], rtol=0, atol=4e-3)


def test_samples_are_a_panel_for_each_parameter() -> None:
    def three(a: float, b: float, c: float) -> float:
        return a + b + c

    page = plot_sweep(axon.sweep(three, axon.Random(20, a=(0, 1), b=(0, 1), c=(0, 1)), progress=False))
    assert [ax.get_xlabel() for ax in page.axes[:3]] == ["a", "b", "c"]


def test_tornado_has_its_longest_bar_on_top() -> None:
    squid = axon.Axon(length=1e5, diameter=476, membrane=axon.hodgkin_huxley(), celsius=18.5)
    found = axon.sensitivity(squid, ["diameter", "Na.conductance", "Na.reversal"], progress=False)
    ax = axon.plot_tornado(found)
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[-1].startswith("diameter") and labels[0].startswith("Na.reversal")


def test_sweep_without_an_answer_has_no_picture() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_sweep(axon.sweep(hill, {"x": [9, 10]}, progress=False))
