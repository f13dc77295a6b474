#!/usr/bin/env python3
"""Opens one emergency card with nothing but Python: `python open_card.py`, then the card's text, then its code.

For the hour when no network, server or company answers. This one file needs no other and asks nobody: keep a copy of
it beside the cards, and try it once on the drill card. The rules that must stay true: a card opens with the code under
its own seal and with no other; a mistyped text, a mistyped code and a code of another card are told apart; what a card
says of itself is shown only after it was found unchanged.

The format. Text: `EQC1/STUDY/NUMBER/BOX` and, for a reader's ease, `/NAMES`. BOX: 132 letters and digits (Crockford's
base 32): 128 of 80 bytes, salt (16), sealed (48), tag (16), and 4 for their check. Code: 15 random letters or digits
and one for their check. Key: scrypt (RFC 7914) of the code, salted with study, number and salt. Sealed: HMAC-SHA256 in
counter mode (NIST SP 800-108) over 1 byte arm, 32 bytes nonce of the slot's commitment, 15 bytes of the SHA-256 of
NAMES; tag: HMAC-SHA256 of all of it, encrypt-then-MAC. Every key seals once. Exit: 0 opened, 1 not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = "EQC1"
DOMAIN = b"equipoise-card-1"
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SALT, NONCE, NAMED, TAG = 16, 32, 15, 16
PLAIN = 1 + NONCE + NAMED
BOX_LETTERS, BOX_CHECK = 128, 4
CODE_LETTERS, CODE_CHECK = 15, 1
WORK = 14
"""Cost of scrypt as a power of two: 16 MB, a moment on any machine; the code alone has 75 random bits."""

SAYS = {
    "text?": (
        "Text of the card (scan it, or type the 132 letters and digits)",
        "请扫描或输入卡片编码（132 位）",
    ),
    "code?": ("Code under the seal", "请输入封条内的开启码"),
    "study?": ("Study as printed on the card", "请输入卡片上的研究编号"),
    "number?": ("Randomization number as printed on the card", "请输入卡片上的随机号"),
    "not-a-card": (
        "This is no text of a card. Scan it again, or type all of it.",
        "这不是卡片编码。请重新扫描或完整输入。",
    ),
    "text-mistyped": (
        "The text of the card is mistyped or damaged. Compare it with the card, four by four.",
        "卡片编码输入有误或已损坏。请逐组核对。",
    ),
    "code-mistyped": ("The code is mistyped. Compare it with the card.", "开启码输入有误。请与卡片核对。"),
    "code-of-another": (
        "The code is whole, but it is not the code of this card. Take number and code from the same card.",
        "开启码完整，但不属于此卡。请使用同一张卡片上的随机号和开启码。",
    ),
    "arm": ("ARM {arm}", "第 {arm} 组"),
    "no-names": (
        "What arm {arm} is stands on the outside of the card.",
        "第 {arm} 组的含义见卡片外侧说明。",
    ),
    "names-changed": (
        "The names in the text were changed: go by the number, and by what is printed on the card.",
        "编码中的组别名称已被改动：请以编号及卡片上印刷的说明为准。",
    ),
    "agrees": ("It agrees with the published list.", "与公布的分配表一致。"),
    "disagrees": (
        "It does NOT agree with the published list: tell the safety desk.",
        "与公布的分配表不一致：请告知安全管理人员。",
    ),
    "next": (
        "Write date, time, your name and the reason on the card. Record the opening in Equipoise as soon as it can be "
        "reached. The participant stays in the trial. Tell nobody who need not know.",
        "请在卡片上写明日期、时间、姓名和原因。一旦可连接 Equipoise，立即补录。"
        "受试者继续留在试验中。请勿告知无需知悉者。",
    ),
}


class NotOpened(Exception):
    """The card does not open; `rule` is a key of SAYS."""

    def __init__(self, rule: str) -> None:
        super().__init__(SAYS[rule][0])
        self.rule = rule


@dataclass(frozen=True)
class CardText:
    """A card's text, read and found whole, not opened yet. `names` is as it was written, or empty."""

    study: str
    number: str
    box: bytes
    names: str


@dataclass(frozen=True)
class Opened:
    """What a card holds: the arm counted from 1, its names (English, Chinese), whether they are those it was made
    with.

    Never printed whole: the nonce of the commitment is for the comparison with the published list.
    """

    arm: int
    nonce: bytes
    names: tuple[str, str] | None
    names_changed: bool

    def __repr__(self) -> str:
        return "Opened(…)"


def read_text(text: str, study: str = "", number: str = "") -> CardText:
    """The card's text; the box alone, typed by hand, with study and number beside it. Raises NotOpened."""
    parts = text.strip().split("/")
    if len(parts) in {4, 5} and parts[0] == FORMAT:
        study, number, names = parts[1], parts[2], parts[4] if len(parts) == 5 else ""
        written = parts[3]
    else:
        written, names = text, ""
    symbols = plain(written)
    if len(symbols) != BOX_LETTERS + BOX_CHECK:
        raise NotOpened("not-a-card" if len(symbols) < BOX_LETTERS // 2 else "text-mistyped")
    body = symbols[:BOX_LETTERS]
    if checked(body, BOX_CHECK) != symbols:
        raise NotOpened("text-mistyped")
    return CardText(study.strip(), number.strip().upper(), from_letters(body), names.strip())


def open_card(card: CardText, code: str) -> Opened:
    """What the card holds. Raises NotOpened for a code that is mistyped, or not its own."""
    symbols = plain(code)
    if len(symbols) != CODE_LETTERS + CODE_CHECK or checked(symbols[:CODE_LETTERS], CODE_CHECK) != symbols:
        raise NotOpened("code-mistyped")
    salt, sealed, tag = card.box[:SALT], card.box[SALT:-TAG], card.box[-TAG:]
    hiding, proving = keys(card.study, card.number, salt, symbols)
    if not hmac.compare_digest(tag_of(proving, card.study, card.number, salt, sealed), tag):
        raise NotOpened("code-of-another")
    whole = mixed(hiding, sealed)
    named = whole[1 + NONCE :]
    changed = bool(card.names) and not hmac.compare_digest(digest_of(card.names), named)
    names = None if changed or not card.names else _name(card.names, whole[0])
    return Opened(whole[0] + 1, whole[1 : 1 + NONCE], names, changed)


def keys(study: str, number: str, salt: bytes, code: str) -> tuple[bytes, bytes]:
    """The two keys of a card: what hides, and what proves. 32 bytes each."""
    derived = hashlib.scrypt(
        code.encode(), salt=_place(study, number) + salt, n=2**WORK, r=8, p=1, maxmem=2**26, dklen=64
    )
    return derived[:32], derived[32:]


def mixed(key: bytes, content: bytes) -> bytes:
    """`content` hidden, or hidden content shown: the same act twice gives it back."""
    stream = b"".join(
        hmac.digest(key, DOMAIN + block.to_bytes(4, "big"), "sha256")
        for block in range(-(-len(content) // 32))
    )
    return bytes(one ^ other for one, other in zip(content, stream, strict=False))


def tag_of(key: bytes, study: str, number: str, salt: bytes, sealed: bytes) -> bytes:
    """The proof that nothing of a card was changed."""
    return hmac.digest(key, _place(study, number) + salt + sealed, "sha256")[:TAG]


def digest_of(names: str) -> bytes:
    """What a card holds of the names beside it."""
    return hashlib.sha256(DOMAIN + names.encode()).digest()[:NAMED]


def _place(study: str, number: str) -> bytes:
    parts = (DOMAIN, study.encode(), number.encode())
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def plain(typed: str) -> str:
    """Letters and digits as they count: capitals, O is 0, I and L are 1; spaces and hyphens do not count."""
    kept = typed.upper().translate(str.maketrans("OIL", "011"))
    return "".join(one for one in kept if one not in " -\t\r\n·")


def checked(symbols: str, count: int) -> str:
    """The symbols with `count` more, by which a mistyped one is found."""
    number = int.from_bytes(hashlib.sha256(DOMAIN + symbols.encode()).digest(), "big")
    return symbols + "".join(LETTERS[number >> 5 * place & 31] for place in range(count))


def to_letters(content: bytes) -> str:
    """Bytes as letters and digits, five bits each, filled up with zero bits at the end."""
    lacking = -len(content) * 8 % 5
    number = int.from_bytes(content, "big") << lacking
    count = (len(content) * 8 + lacking) // 5
    return "".join(LETTERS[number >> 5 * place & 31] for place in reversed(range(count)))


def from_letters(symbols: str) -> bytes:
    """The bytes of letters and digits. Raises NotOpened for a symbol that is none of them."""
    number = 0
    for one in symbols:
        if one not in LETTERS:
            raise NotOpened("text-mistyped")
        number = number << 5 | LETTERS.index(one)
    spare = len(symbols) * 5 % 8
    return (number >> spare).to_bytes(len(symbols) * 5 // 8, "big")


def write_names(names: Sequence[tuple[str, str]]) -> str:
    """The arms' names, (English, Chinese) in the order in which arms are counted, as they stand in a card's text."""
    packed = json.dumps([list(pair) for pair in names], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _name(written: str, arm: int) -> tuple[str, str] | None:
    try:
        english, chinese = json.loads(base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)))[arm]
    except (ValueError, IndexError, TypeError, RecursionError):
        return None
    return str(english), str(chinese)


def agrees(opened: Opened, number: str, published: dict[str, Any]) -> bool | None:
    """Whether the card holds what the published list committed to; None where the list has no such number."""
    for stratum, slots in published["strata"].items():
        for index, slot in enumerate(slots, 1):
            if slot["number"] == number:
                texts = (str(published["study"]).encode(), str(stratum).encode())
                name = b"".join(len(text).to_bytes(2, "big") + text for text in texts) + index.to_bytes(
                    4, "big"
                )
                content = b"equipoise-slot-1" + name + bytes([opened.arm - 1]) + opened.nonce
                return hmac.compare_digest(hashlib.sha256(content).hexdigest(), str(slot["commitment"]))
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask for text and code, and say the arm. The exit status."""
    parser = argparse.ArgumentParser(
        prog="open_card.py", description="Open one emergency card, without a network."
    )
    parser.add_argument("--list", type=Path, metavar="FILE", help="the published list, to compare with")
    options = parser.parse_args(arguments)
    try:
        card = _asked_text()
        opened = open_card(card, _ask("code?"))
    except NotOpened as fault:
        _say(fault.rule)
        return 1
    except EOFError:
        return 2
    _show(opened)
    if options.list is not None:
        _compare(opened, card.number, options.list)
    _say("next")
    return 0


def _asked_text() -> CardText:
    text = _ask("text?")
    if "/" in text:
        return read_text(text)
    read_text(text)  # a mistyped text is named before anything else is asked
    return read_text(text, _ask("study?"), _ask("number?"))


def _show(opened: Opened) -> None:
    names = opened.names or ("", "")
    for language, name in enumerate(names):
        line = SAYS["arm"][language].format(arm=opened.arm)
        kept = "".join(one for one in name if one.isprintable())
        sys.stdout.write(f"{line}{('：' if language else ': ') + kept if kept else ''}\n")
    if opened.names_changed:
        _say("names-changed")
    elif opened.names is None:
        _say("no-names", arm=opened.arm)


def _compare(opened: Opened, number: str, path: Path) -> None:
    try:
        found = agrees(opened, number, json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        sys.stdout.write(f"{path}: {fault}\n")
        return
    _say("agrees" if found else "disagrees")


def _ask(rule: str) -> str:
    sys.stderr.write(f"{SAYS[rule][0]} / {SAYS[rule][1]}\n> ")
    sys.stderr.flush()
    return input()


def _say(rule: str, **values: object) -> None:
    for language in SAYS[rule]:
        sys.stdout.write(language.format(**values) + "\n")


if __name__ == "__main__":
    sys.exit(main())
