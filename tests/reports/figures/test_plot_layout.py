import plotly.graph_objects as go

from fusearch.reports.figures.plot_layout import GRID, plot_layout


def test_plotly_takes_it() -> None:
    figure = go.Figure(layout=plot_layout("Trials", "Hypervolume", 320))
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text, figure.layout.height) == ("Trials", "Hypervolume", 320)
    assert figure.layout.xaxis.gridcolor == figure.layout.yaxis.gridcolor == GRID
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
