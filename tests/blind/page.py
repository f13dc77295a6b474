"""The page of the documentation that a run makes: what was compared, what was planted, and what that shows.

The rule that must stay true: the text follows from the run alone, without times or folders, so that the page in the
repository can be held against every run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from blind.secret import nightly
from blind.watch import COMPARISONS

if TYPE_CHECKING:
    from blind.proof import Proof

PAGE = Path(__file__).resolve().parents[2] / "docs" / "blind-proof.md"


def render(proof: Proof) -> str:
    """The page."""
    told = proof.told
    lines = [_HEAD.format(states=len(told["states"]), worlds=len(proof.worlds)), "## What was covered", ""]
    lines += ["| | |", "|---|---|"]
    kinds = {"desk": 0, "second": 0, "terminal": 0, "web": 0}
    for operation in told["operations"]:
        first = operation.split(" ")[0]
        kinds[first if first in kinds else "web"] += 1
    lines += [
        f"| roles | {len(told['roles'])}: {', '.join(told['roles'])} |",
        f"| operations | {kinds['web']} of pages, {kinds['desk']} of the desk, {kinds['terminal']} of the terminal, {kinds['second']} of the"
        " second door, where who is blinded is refused |",
        f"| states | {len(told['states'])} |",
        f"| operations x roles x states | {told['covered']} |",
        "| fields that may differ | none |",
        f"| differences | {len(proof.differences)} |",
        "",
        "## What is compared",
        "",
        "| comparison | of what |",
        "|---|---|",
    ]
    lines += [f"| {name} | {what} |" for name, what in COMPARISONS.items()]
    lines += ["", _LEAKS, "", "| channel | leak | caught by |", "|---|---|---|"]
    for verdict in proof.verdicts:
        leak = verdict.leak
        near = f" ({leak.near})" if leak.near else ""
        by = ", ".join(sorted({pattern.split("|")[0] for pattern in leak.through}))
        lines.append(
            f"| {leak.channel} | {leak.says}{near} | {by.replace('*', 'every comparison of that page')} |"
        )
    for each in proof.statistics:
        lines.append(f"| {each.channel} | {each.says} | {each.name}: {each.power} |")
    every = nightly()
    mixed = sum(secret.how == "mixed" for secret in every)
    lines += ["", _RUN.format(worlds=len(every), mixed=mixed)]
    lines += ["", "## Last line", "", f"`{proof.last_line}`", ""]
    return "\n".join(lines)


_HEAD = """# The proof of the blind

This page is written by `make prove-blind`, which fails when the page is not what it would write.

One script of a trial is played through both doors in one process: {states} states, from the first person at the door to
the last signature. It is played in {worlds} worlds. The worlds differ in nothing but what the first door must not know: the
arms of the list, and laboratory values that would reveal them. One world has the arms as they were drawn; in the other all
are swapped but the second of each list (a swap of all could not show "the same arm as"), and all laboratory values are others.
Time and chance are the same in all of them. Whatever a person of any role, a superuser or a thief of the disk can see of the first
door is then compared byte for byte. Every difference would be something that tells the secret.

What is replaced in the worlds, and why that is sound: commitments to slots and anchors are replaced by ideal ones that do
not depend on the arm. That SHA-256 over an arm and 32 random bytes tells nothing is a claim about SHA-256 that this proof takes
as given; that nothing else tells anything is what it shows. Passwords are hashed cheaply. Nothing goes by the clock on the
wall: checkpoints are made where the script says, a timer never strikes, and a thread that would go beside the script ends the
proof. What is the same in every world is done once before they part: the program is loaded, Django set up, the definition read.

What the proof does not show: that a single call inside the program takes as long for either arm (calls and statements are
counted, no stopwatch is used); what unblinded people see at the second door, whose pages are asked for here by blinded
people alone, and refused; what the treatment itself tells (its effect, a fever after an infusion), what people say to one another,
and what a product looks like. Those are for the trial's design; the notes on residual risk name them.
"""

_RUN = """## How to run it

`make prove-blind` is the last step of `make test`, and what this page tells of. `make prove-blind-full` is for every night, and the
last step of `make test-nightly`: the same script in {worlds} worlds, of which one has each arm swapped and {mixed} have arms drawn anew by coins of their own; each page is asked
for twice as often; every play of a leak also without its leak, in its own worlds; ten times as many lists, and a classifier that learns from other lists what goes with the arm.
A world takes one processor; as many are played at once as there are processors (`python -m tests.blind --at-once N` for another number).
The first line of what does not hold names the comparison, the role, the operation and the state."""

_LEAKS = """## Leaks that were planted

Each was patched into the program in worlds of their own. Its own comparison sees it, and with that comparison taken away the same
worlds are equal: so the leak shows that this comparison can fail, and no other stands in for it. The same plays without
a leak are equal: those that the script holds are compared with it, the others by themselves, and all of them by themselves every night."""
