"""Net sales over time, as an area or as a table."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.components.notices import failed_part
from brandmind.state.center import Center
from brandmind.state.views import ChartView


def sales_chart(chart: rx.Var[ChartView]) -> rx.Component:
    """The chart in a box of fixed height, whatever its state."""
    return rx.el.section(
        rx.el.div(
            rx.el.div(
                rx.el.h2("Net sales", class_name="card-title"),
                rx.cond(
                    chart.compared,
                    rx.el.span(
                        rx.el.span(chart.legend, class_name="key line"),
                        rx.el.span(chart.compared, class_name="key dash"),
                        class_name="keys",
                    ),
                ),
                class_name="title-line",
            ),
            rx.cond(
                chart.mode == "sample",
                rx.el.span(
                    rx.el.span("Sample", class_name="chip lilac"),
                    " ",
                    rx.el.span(chart.note, class_name="tiny muted"),
                ),
                rx.cond(
                    chart.note & (chart.mode == "real"),
                    rx.el.span(chart.note, class_name="chip amber"),
                ),
            ),
            rx.cond(
                chart.points.length() > 0,
                rx.el.button(
                    rx.cond(Center.as_table, "View as chart", "View as table"),
                    type="button",
                    class_name="link small",
                    on_click=Center.turn_table,
                ),
            ),
            class_name="card-head",
        ),
        rx.el.div(
            rx.match(
                chart.mode,
                ("hold", _hold(chart)),
                ("failed", failed_part(chart.note)),
                ("closed", rx.el.p(chart.note, class_name="muted")),
                rx.cond(
                    chart.empty,
                    rx.el.p(chart.empty, class_name="muted center"),
                    rx.cond(Center.as_table, _table(chart), _area(chart)),
                ),
            ),
            class_name="chart-box",
        ),
        aria_label="Net sales" + rx.cond(chart.mode == "sample", ", sample", ""),
        class_name=rx.cond(chart.mode == "sample", "card sample wide", "card wide"),
    )


def _hold(chart: rx.Var[ChartView]) -> rx.Component:
    return rx.el.div(
        rx.el.span(chart.note, class_name="small muted"),
        class_name="hold fill-box",
        aria_busy="true",
    )


def _js(expression: str, var: Any) -> rx.Var[Any]:
    return rx.Var(_js_expr=expression, _var_data=var._get_all_var_data())


def _area(chart: rx.Var[ChartView]) -> rx.Component:
    words: Any = chart.tick_words
    compared: Any = chart.compared
    return rx.recharts.area_chart(
        rx.recharts.cartesian_grid(vertical=False, stroke="var(--hairline)"),
        rx.recharts.area(
            data_key="before",
            name=compared,
            type_="linear",
            stroke="var(--muted)",
            stroke_width=1.2,
            fill="none",
            dot=False,
            is_animation_active=False,
            custom_attrs={"strokeDasharray": "4 4"},
        ),
        rx.recharts.area(
            data_key="net",
            name="net sales",
            type_="linear",
            stroke="var(--pine)",
            stroke_width=1.8,
            fill="var(--area)",
            fill_opacity=1,
            dot=False,
            is_animation_active=False,
        ),
        rx.recharts.x_axis(
            data_key="day",
            axis_line=False,
            tick_line=False,
            min_tick_gap=60,
            tick_margin=10,
            custom_attrs={"tick": {"fill": "var(--muted)", "fontSize": 12}},
        ),
        rx.recharts.y_axis(
            axis_line=False,
            tick_line=False,
            width=56,
            custom_attrs={
                "tick": {"fill": "var(--muted)", "fontSize": 12},
                "ticks": chart.ticks,
                "domain": chart.span,
                "interval": 0,
                "tickFormatter": _js(f"((v) => ({words!s})?.[String(v)] ?? '')", words),
            },
        ),
        rx.recharts.graphing_tooltip(
            cursor={"stroke": "var(--control)", "strokeWidth": 1},
            content_style={
                "background": "var(--card)",
                "border": "1px solid var(--hairline)",
                "borderRadius": "4px",
                "color": "var(--ink)",
                "fontSize": "13px",
            },
            is_animation_active=False,
            custom_attrs={
                "formatter": rx.Var(
                    _js_expr="((v, name, item) => [item.payload[item.dataKey + '_text'], name])"
                ),
            },
        ),
        data=chart.points,
        width="100%",
        height=288,
        margin={"top": 8, "right": 8, "bottom": 4, "left": 0},
        custom_attrs={"accessibilityLayer": True},
    )


def _table(chart: rx.Var[ChartView]) -> rx.Component:
    return rx.el.div(
        rx.el.table(
            rx.el.caption("Net sales by day", class_name="unseen"),
            rx.el.thead(
                rx.el.tr(
                    rx.el.th("Day", scope="col"),
                    rx.el.th("Net sales", scope="col", class_name="num"),
                    rx.el.th("Orders", scope="col", class_name="num"),
                    rx.cond(
                        chart.compared,
                        rx.el.th("Compared with", scope="col", class_name="num"),
                    ),
                )
            ),
            rx.el.tbody(
                rx.foreach(
                    chart.points,
                    lambda point: rx.el.tr(
                        rx.el.td(point["day"].to(str)),
                        rx.el.td(point["net_text"].to(str), class_name="num"),
                        rx.el.td(point["orders"].to(str), class_name="num"),
                        rx.cond(
                            chart.compared,
                            rx.el.td(
                                point["before_text"].to(str),
                                " ",
                                rx.el.span(point["before_day"].to(str), class_name="tiny muted"),
                                class_name="num",
                            ),
                        ),
                    ),
                )
            ),
            rx.el.tfoot(
                rx.el.tr(
                    rx.el.th("Total", scope="row"),
                    rx.el.td(chart.total, class_name="num"),
                    rx.el.td(),
                    rx.cond(chart.compared, rx.el.td()),
                )
            ),
        ),
        class_name="scroll",
        tab_index=0,
    )
