"""Widgets of the Evidently report: the only file that reaches below Evidently's public metric classes.

Evidently draws through `evidently.legacy.renderers`; there is no public place for it yet.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
from evidently.legacy.renderers.html_widgets import CounterData, WidgetSize, counter, plotly_figure

from gate.domain.evidence import Measured
from gate.domain.picture import Distribution

_REFERENCE, _CURRENT = "#8a94a6", "#e4572e"


def number_widget(title: str, measured: Measured) -> Any:
    """A counter with the number, and below it what it rests on."""
    return counter(title=title, size=WidgetSize.FULL,
                   counters=[CounterData(label=_footing(measured), value=f"{measured.value:.6g}")])  # fmt: skip


def _footing(measured: Measured) -> str:
    texts = [measured.method, f"{measured.rows:,} rows"]
    if measured.interval is not None:
        low, high = measured.interval
        texts.append(f"interval {low:.6g} to {high:.6g}")
    if measured.bound:
        texts.append(f"binning error at most {measured.bound:.2g}")
    return ", ".join(texts)


def plot_widget(picture: Distribution) -> Any:
    """Both distributions of a column, as shares."""
    figure = go.Figure()
    for name, shares, colour in (("reference", picture.reference, _REFERENCE), ("current", picture.current, _CURRENT)):
        if picture.numeric:
            centres = [low + (high - low) / 2 for low, high in pairwise(picture.edges)]
            widths = [high - low for low, high in pairwise(picture.edges)]
            figure.add_bar(name=name, x=centres, y=shares, width=widths, marker_color=colour, opacity=0.6)
        else:
            figure.add_bar(name=name, x=picture.labels, y=shares, marker_color=colour)
    figure.update_layout(barmode="overlay" if picture.numeric else "group", yaxis_title="share of rows",
                         xaxis_type="linear" if picture.numeric else "category")  # fmt: skip
    return plotly_figure(title=f"{picture.column}: reference and current", figure=figure, size=WidgetSize.FULL)
