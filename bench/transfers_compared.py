"""From what a shop lacks to its receiving shelf: taps, seconds of hands and hours of waiting, on paper and e-mail and here.

Runs without a server: `python -m bench.transfers_compared` writes docs/transfers-compared.md. The taps of our road are counted
by a browser in tests/browser/test_a_transfer.py; the two numbers must be equal. Nothing else here is measured: seconds come
from the Keystroke-Level Model, waiting from the assumptions below. Change them and run it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LINES = 12
"""Variants on the transfer."""
LINE_KEYS = 22
"""Keys to type "Earl Grey 100 g, 24 pcs" once."""
NUMBER_KEYS = 3
"""Keys to type a quantity and go on."""

SECONDS = {"K": 0.28, "P": 1.10, "H": 0.40, "M": 1.35, "W": 4.0}
"""K a key, P pointing at something and pressing it, H the hand to the other device, M making up one's mind (Card, Moran and
Newell 1980; K for somebody who types 40 words a minute). W: writing or ticking one line by hand, our assumption."""

REPLY_HOURS = 47 / 60
"""Half of e-mail replies come within 47 minutes (Kooti et al. 2015). Each time the other side must read one, that long passes."""
NOTICE_HOURS = 10 / 60
"""Until somebody looks at a list that shows new work by itself: our assumption."""


@dataclass(frozen=True)
class Step:
    """Something a person does: KLM operators, how often, and how long it then lies until somebody goes on."""

    who: str
    what: str
    keys: int = 0
    taps: int = 0
    thoughts: int = 0
    lines_by_hand: int = 0
    hands: int = 0
    waits: float = 0.0

    @property
    def seconds(self) -> float:
        """Seconds of hands and mind, without waiting."""
        counts = {
            "K": self.keys,
            "P": self.taps,
            "M": self.thoughts,
            "W": self.lines_by_hand,
            "H": self.hands,
        }
        return sum(SECONDS[name] * count for name, count in counts.items())


PAPER = (
    Step("shop", "notes on paper what is missing, by walking along the shelf", lines_by_hand=LINES, thoughts=LINES),
    Step("shop", "types it as an e-mail and sends it", keys=LINES * LINE_KEYS + 40, taps=3, thoughts=2, hands=2, waits=REPLY_HOURS),
    Step("depot", "opens it, looks each line up in the stock list", keys=LINES * 8, taps=2 + LINES, thoughts=LINES, hands=2),
    Step("depot", "answers what it can send", keys=40, taps=2, thoughts=1, hands=2, waits=REPLY_HOURS),
    Step("depot", "types and prints the delivery note", keys=LINES * LINE_KEYS + 30, taps=4, thoughts=2, hands=2),
    Step("depot", "books what left out of its stock, line by line", keys=LINES * (8 + NUMBER_KEYS), taps=LINES * 3, thoughts=LINES, hands=LINES),
    Step("shop", "ticks the note line by line", lines_by_hand=LINES, thoughts=LINES),
    Step("shop", "books what came into its stock, line by line", keys=LINES * (8 + NUMBER_KEYS), taps=LINES * 3, thoughts=LINES, hands=LINES),
    Step("shop", "writes to the depot that all is there, or what is not", keys=60, taps=3, thoughts=1, hands=2, waits=REPLY_HOURS),
)  # fmt: skip

ONHAND = (
    Step("shop", "opens Transfers; From what is needed; its site; Make drafts", taps=5, thoughts=2),
    Step("shop", "looks at the draft and places it", taps=1, thoughts=1, waits=NOTICE_HOURS),
    Step("depot", "Ship; Everything; Ship", taps=3, thoughts=1, waits=NOTICE_HOURS),
    Step("shop", "Receive; Everything; Receive", taps=3, thoughts=1),
)
"""What the browser does in tests/browser/test_a_transfer.py. Opening the transfer from the list is one tap more for each end."""

SCANNED = (
    *ONHAND[:2],
    Step("depot", "opens it from the list; Ship; types 3* and scans each line; Ship", taps=3, keys=LINES * 3, thoughts=LINES, hands=LINES, waits=NOTICE_HOURS),
    Step("shop", "opens it from the list; Receive; types 3* and scans each line; Receive", taps=3, keys=LINES * 3, thoughts=LINES, hands=LINES),
)  # fmt: skip
"""The careful road: every line is scanned at both ends. A scan itself is no tap; aiming is in H."""


def taps_of(road: tuple[Step, ...]) -> int:
    """Taps and clicks of a road; typed keys are counted apart."""
    return sum(step.taps for step in road)


def row(name: str, road: tuple[Step, ...]) -> str:
    """One line of the table."""
    seconds = sum(step.seconds for step in road)
    waits = sum(step.waits for step in road)
    keys, hand = sum(s.keys for s in road), sum(s.lines_by_hand for s in road)
    return f"| {name} | {taps_of(road)} | {keys} | {hand} | {seconds / 60:.1f} min | {waits:.1f} h |"


def steps(road: tuple[Step, ...]) -> str:
    """The steps of a road, as a list."""
    return "\n".join(f"- **{s.who}** {s.what} ({s.taps} taps, {s.keys} keys)" for s in road)


def page() -> str:
    """The whole page."""
    ratio = taps_of(ONHAND) / taps_of(PAPER)
    both = sum(s.waits for s in ONHAND) / sum(s.waits for s in PAPER)
    careful = sum(s.seconds for s in SCANNED) / sum(s.seconds for s in PAPER)
    return f"""# A transfer, compared

Written by `python -m bench.transfers_compared`. {LINES} variants are below their minimum in a shop and the depot has them. What
does it take from noticing to booked on the receiving shelf? Picking, driving and shelving are the same on every road and left out.

| road | taps | keys typed | lines by hand | hands and mind | waiting |
| --- | --- | --- | --- | --- | --- |
{row("Paper and e-mail", PAPER)}
{row("Onhand, everything as planned", ONHAND)}
{row("Onhand, every line scanned at both ends", SCANNED)}

Everything as planned takes {ratio:.0%} of the taps of paper and e-mail and {both:.0%} of its waiting. Scanned at both ends it takes
{careful:.0%} of its seconds; that is the road to compare with a note ticked line by line.

**Counted**: the {taps_of(ONHAND)} taps of the second row, by a browser in `tests/browser/test_a_transfer.py`. Two people on two
devices open the transfer from the list: one tap more each.

**Assumed**: everything else. Seconds by the Keystroke-Level Model: a key {SECONDS["K"]} s (40 words a minute), pointing
{SECONDS["P"]} s, the hand to the other device {SECONDS["H"]} s, a thought {SECONDS["M"]} s (S. K. Card, T. P. Moran, A. Newell, "The
Keystroke-Level Model for User Performance Time with Interactive Systems", CACM 23(7), 1980). Writing a line by hand
{SECONDS["W"]} s. Half of all e-mails are answered within 47 minutes (F. Kooti et al., "Evolution of Conversations in the Age of Email
Overload", WWW 2015); a list that shows new work by itself is looked at within {NOTICE_HOURS * 60:.0f} minutes. The paper road is
ours, told from how small chains work, not observed. Who disagrees changes a number and runs the script.

## Paper and e-mail

{steps(PAPER)}

## Onhand

{steps(ONHAND)}
"""


def main() -> None:
    """Write the page."""
    (Path(__file__).parents[1] / "docs" / "transfers-compared.md").write_text(page())


if __name__ == "__main__":
    main()
