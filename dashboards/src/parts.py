"""What both dashboards are made of: selectors, words and colours of verdicts, and one function for each shape of panel.

The state of models is exported by every replica alike, so a query takes `max by (...)` of it before anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from grafana_foundation_sdk.builders import bargauge, common, stat, statetimeline, statushistory, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as shape
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
TAG = "gate"
GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "text"

# Bad outranks good: while two replicas differ for a moment, the worse word shows. Colour never stands without the word.
VERDICTS: Mapping[str, tuple[int, str]] = {
    "promote": (1, GREEN),
    "awaiting": (2, BLUE),
    "insufficient": (3, YELLOW),
    "failed": (4, RED),
    "error": (5, "purple"),
    "none": (6, GREY),
}

Queries: TypeAlias = Mapping[str, str]
"""What is asked, by the legend (or, in a table, the column) that it gets."""
Steps: TypeAlias = Sequence[tuple[float | None, str]]
"""From which value on which colour."""


def verdict_codes(selector: str) -> str:
    """Write the verdict of each model and stage as the number that `as_words` turns into a word again."""
    words = (
        f'{code} * (gate_model_verdict{{{selector}, verdict="{word}"}} == 1)' for word, (code, _) in VERDICTS.items()
    )
    return f"max by (model, stage) ({' or '.join(words)})"


def quantile(share: float, histogram: str, selector: str, by: str = "") -> str:
    """Write the quantile of a histogram of processes, for each value of the label `by`."""
    labels = f"{by}, le" if by else "le"
    rate = f"rate({histogram}_bucket{{{selector}}}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({labels}) ({rate}))"


def as_words() -> list[model.ValueMapping]:
    """Show verdicts as words in their colours, whether they come as words or as the numbers of `verdict_codes`."""
    options = {}
    for index, (word, (code, colour)) in enumerate(VERDICTS.items()):
        for value in (word, str(code)):
            options[value] = model.ValueMappingResult(text=word, color=colour, index=index)
    return [model.ValueMap(options)]


def yes_no(zero: tuple[str, str], one: tuple[str, str]) -> list[model.ValueMapping]:
    """Show 0 and 1 as words in colours."""
    return [model.ValueMap({
        str(value): model.ValueMappingResult(text=text, color=colour, index=value)
        for value, (text, colour) in enumerate((zero, one))
    })]  # fmt: skip


def stat_panel(
    title: str, description: str, query: str, *,
    unit: str = "short", steps: Steps = ((None, GREY),), width: int = 3, height: int = 4, legend: str = "",
    mappings: Sequence[model.ValueMapping] = (), none: str | None = None,
) -> stat.Panel:  # fmt: skip
    """One number, or with `legend` one text."""
    panel = (
        stat.Panel()
        .title(title).description(description).datasource(SOURCE).unit(unit).span(width).height(height)
        .thresholds(_thresholds(steps)).mappings(list(mappings))
        .color_mode(shape.BigValueColorMode.BACKGROUND_SOLID if mappings else shape.BigValueColorMode.VALUE)
        .graph_mode(shape.BigValueGraphMode.NONE)
        .text_mode(shape.BigValueTextMode.NAME if legend else shape.BigValueTextMode.AUTO)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .with_target(_instant(query, "A").legend_format(legend))
    )  # fmt: skip
    return panel.no_value(none) if none else panel


def bars_panel(
    title: str, description: str, queries: Queries, *, unit: str = "short", steps: Steps = ((None, BLUE),),
    width: int = 8, height: int = 8, most: float | None = None,
) -> bargauge.Panel:  # fmt: skip
    """One bar for each series, as of now."""
    panel = (
        bargauge.Panel()
        .title(title).description(description).datasource(SOURCE).unit(unit).span(width).height(height).min(0)
        .thresholds(_thresholds(steps)).orientation(shape.VizOrientation.HORIZONTAL)
        .display_mode(shape.BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    )  # fmt: skip
    for reference, (legend, query) in zip("ABCDEFGH", queries.items(), strict=False):
        panel = panel.with_target(_instant(query, reference).legend_format(legend))
    return panel if most is None else panel.max(most)


def lines_panel(
    title: str, description: str, queries: Queries, *, unit: str = "short", width: int = 8, height: int = 8,
    dashed: str | None = None, exemplars: bool = False, colours: Mapping[str, str] | None = None,
) -> timeseries.Panel:  # fmt: skip
    """Series over time. `dashed` is a pattern of the series that are limits."""
    panel = (
        timeseries.Panel()
        .title(title).description(description).datasource(SOURCE).unit(unit).span(width).height(height)
        .min(0).show_points(shape.VisibilityMode.AUTO).span_nulls(False).line_width(1)
        .legend(common.VizLegendOptions().show_legend(True).display_mode(shape.LegendDisplayMode.LIST)
                .placement(shape.LegendPlacement.BOTTOM))
        .tooltip(common.VizTooltipOptions().mode(shape.TooltipDisplayMode.MULTI).sort(shape.SortOrder.DESCENDING))
    )  # fmt: skip
    for reference, (legend, query) in zip("ABCDEFGH", queries.items(), strict=False):
        panel = panel.with_target(_over_time(query, reference).legend_format(legend).exemplar(exemplars))
    for name, colour in (colours or {}).items():
        panel = panel.override_by_name(name, [_value("color", {"mode": "fixed", "fixedColor": colour})])
    if dashed:
        panel = panel.override_by_regexp(dashed, [
            _value("custom.lineStyle", {"fill": "dash", "dash": [10, 10]}),
            _value("color", {"mode": "fixed", "fixedColor": RED}),
        ])  # fmt: skip
    return panel


def states_panel(
    title: str, description: str, query: str, legend: str, mappings: Sequence[model.ValueMapping], *,
    width: int = 24, height: int = 8,
) -> statetimeline.Panel:  # fmt: skip
    """One band for each series, in words."""
    return (
        statetimeline.Panel()
        .title(title).description(description).datasource(SOURCE).unit("short").span(width).height(height)
        .mappings(list(mappings)).show_value(shape.VisibilityMode.AUTO).merge_values(True)
        .with_target(_over_time(query, "A").legend_format(legend))
    )  # fmt: skip


def history_panel(
    title: str, description: str, query: str, legend: str, mappings: Sequence[model.ValueMapping], *,
    width: int = 24, height: int = 10,
) -> statushistory.Panel:  # fmt: skip
    """A grid of series and moments."""
    return (
        statushistory.Panel()
        .title(title).description(description).datasource(SOURCE).unit("short").span(width).height(height)
        .mappings(list(mappings)).show_value(shape.VisibilityMode.NEVER).max_data_points(96)
        .with_target(_over_time(query, "A").legend_format(legend))
    )  # fmt: skip


def table_panel(
    title: str, description: str, queries: Queries, *, labels: Mapping[str, str], units: Mapping[str, str],
    width: int = 24, height: int = 9, sort: str | None = None, hide: Sequence[str] = (),
    links: Mapping[str, Sequence[tuple[str, str]]] | None = None, steps: Mapping[str, Steps] | None = None,
) -> table.Panel:  # fmt: skip
    """Instant queries, joined on the labels they share.

    `labels` maps labels to column titles, in the order of the columns; `queries`, `units`, `links` (titles and
    addresses) and `steps` are by column. `sort` is a column, largest first; `hide` are columns that say nothing.
    """
    panel = (
        table.Panel()
        .title(title).description(description).datasource(SOURCE).unit("short").span(width).height(height)
        .filterable(True).cell_height(shape.TableCellHeight.SM)
    )  # fmt: skip
    renamed, order = dict(labels), {label: index for index, label in enumerate(labels)}
    for reference, (column, query) in zip("ABCDEFGHIJKLM", queries.items(), strict=False):
        panel = panel.with_target(_instant(query, reference).format(PromQueryFormat.TABLE))
        name = f"Value #{reference}" if len(queries) > 1 else "Value"
        renamed[name] = column
        order[name] = len(order)
    dropped = ["Time", *(name for name, column in renamed.items() if column in hide)]
    if len(queries) > 1:
        panel = panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    options = {"excludeByName": dict.fromkeys(dropped, True), "indexByName": order, "renameByName": renamed}
    panel = panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=options))
    for column, unit in units.items():
        panel = panel.override_by_name(column, [_value("unit", unit)])
    for column, levels in (steps or {}).items():
        thresholds = {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in levels]}
        panel = panel.override_by_name(column, [
            _value("thresholds", thresholds), _value("custom.cellOptions", {"type": "color-text"}),
        ])  # fmt: skip
    if "verdict" in labels:
        panel = panel.override_by_name(labels["verdict"], [
            _value("mappings", as_words()), _value("custom.cellOptions", {"type": "color-background", "mode": "basic"}),
        ])  # fmt: skip
    for column, targets in (links or {}).items():
        panel = panel.override_by_name(column, [_value("links", [{"title": t, "url": u} for t, u in targets])])
    return panel.sort_by([common.TableSortByFieldState().display_name(sort).desc(True)]) if sort else panel


def base(title: str, uid: str, description: str) -> build.Dashboard:
    """Begin a dashboard: fixed uid, read-only, UTC, with the variables and links that both have."""
    return (
        build.Dashboard(title)
        .uid(uid).description(description).tags([TAG]).readonly().timezone("utc").time("now-24h", "now").refresh("1m")
        .tooltip(model.DashboardCursorSync.CROSSHAIR).version(1)
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus")
                       .current(_option("Prometheus", "prometheus")))
        .with_variable(query_variable("job", "Job", "label_values(gate_build_info, job)", every=True))
        .link(build.DashboardLink("gate dashboards").type(model.DashboardLinkType.DASHBOARDS).tags([TAG])
              .as_dropdown(True).include_vars(True).keep_time(True))
    )  # fmt: skip


def query_variable(name: str, label: str, query: str, *, every: bool = False) -> build.QueryVariable:
    """A choice that Prometheus answers; with `every`, several or all of them."""
    variable = (
        build.QueryVariable(name).label(label).query(query).datasource(SOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.ALPHABETICAL_ASC)
    )  # fmt: skip
    return variable.multi(True).include_all(True).current(_option("All", "$__all")) if every else variable


def address_variable() -> build.TextBoxVariable:
    """Where people reach gate's own pages: links lead there."""
    here = "http://127.0.0.1:8484"
    return (
        build.TextBoxVariable("gate").label("gate's address").description("The GATE_PUBLIC_URL of your gate.")
        .default_value(here).current(_option(here, here))
    )  # fmt: skip


def annotation(name: str, query: str, colour: str) -> build.AnnotationQuery:
    """A mark on every panel where `query` has a value."""
    return build.AnnotationQuery().name(name).datasource(SOURCE).expr(query).icon_color(colour).enable(True)


def _thresholds(steps: Steps) -> build.ThresholdsConfig:
    levels = [model.Threshold(value=value, color=colour) for value, colour in steps]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(levels)


def _instant(query: str, reference: str) -> Dataquery:
    return Dataquery().expr(query).instant().ref_id(reference).datasource(SOURCE)


def _over_time(query: str, reference: str) -> Dataquery:
    return Dataquery().expr(query).range().ref_id(reference).datasource(SOURCE)


def _value(name: str, value: Any) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(name, value)


def _option(text: str, value: str) -> model.VariableOption:
    return model.VariableOption(selected=True, text=text, value=value)
