import re
import xml.etree.ElementTree as ET

from fusearch.reports.figures.bars import bars_svg


def test_bars_are_as_long_as_their_counts_and_named() -> None:
    drawn = bars_svg({"by <class>": {"cat & sum": 8, "gate": 2}, "by type": {"sudden": 4, "none": 0}}, "two groups")
    ET.fromstring(drawn)
    widths = [float(width) for width in re.findall(r'<rect class="count" [^>]*width="([\d.]+)"', drawn)]
    assert [round(width / widths[0], 3) for width in widths] == [1, 0.25, 0.5, 0]
    for text in ("by &lt;class&gt;", "cat &amp; sum", ">8<", ">0<", "<title>two groups</title>"):
        assert text in drawn
