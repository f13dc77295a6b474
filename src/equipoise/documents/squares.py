"""QR codes as drawings, by segno.

The rule that must stay true: the same text gives the same drawing, and every text of one length gives a drawing of
the same number of squares a side, so that a code's size tells nothing of what it says. Source: ISO/IEC 18004.
"""

from __future__ import annotations

import segno

LEVEL = "m"
"""Error correction: 15 % of a code may be dirty or torn."""


def drawing(text: str) -> str:
    """The code of `text` as SVG, with the quiet zone that readers need. Raises segno.DataOverflowError beyond 2 kB."""
    code = segno.make_qr(text, error=LEVEL, boost_error=False)
    side = code.symbol_size(border=4)[0]
    runs: list[str] = []
    for y, row in enumerate(code.matrix, 4):
        x = 0
        while x < len(row):
            length = 0
            while x + length < len(row) and row[x + length]:
                length += 1
            if length:
                runs.append(f"M{x + 4} {y}h{length}v1h-{length}z")
            x += max(length, 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{side}" height="{side}">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{"".join(runs)}" fill="#000"/></svg>'
    )
