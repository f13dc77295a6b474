"""Making emergency cards: one slot of the list, sealed to a code that is printed once and kept nowhere.

The rules that must stay true: a card is made for one public number and holds the slot's own arm and nonce, so that it
can be compared with the commitment; its code is random, and forgotten when it is printed; text and code are of one
length for every arm of a study, and as much is drawn. The format, and how it is opened, stand in `open_card`.
"""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.documents.card import EmergencyCard
from equipoise.protocol.study import Study
from equipoise.vault.open_card import (
    BOX_CHECK,
    CODE_CHECK,
    CODE_LETTERS,
    FORMAT,
    NONCE,
    SALT,
    checked,
    digest_of,
    keys,
    mixed,
    tag_of,
    to_letters,
    write_names,
)
from equipoise.words.ids import Entropy
from equipoise.words.text import Text

_GROUP = 4


def arm_names(study: Study) -> tuple[Text, ...]:
    """What each arm is called, in the order in which slots count them: that of the study's ratio."""
    labels = {arm.id: arm.label for arm in study.arms}
    ratio = study.randomization.ratio if study.randomization is not None else {}
    return tuple(labels.get(arm, Text(arm)) for arm in ratio)


def make_card(
    label: str, number: str, arm: int, nonce: bytes, arms: Sequence[Text], entropy: Entropy
) -> EmergencyCard:
    """A card for a public number. `label`: what the study may be called; `arm` counts from 0, `nonce` has 32 bytes.

    Raises ValueError for what is no slot's content, or a label or number that would not be read back.
    """
    if len(nonce) != NONCE or not 0 <= arm < len(arms):
        raise ValueError("a card holds one arm of the study and the nonce of its slot")
    if "/" in label + number or number != number.strip().upper() or label != label.strip():
        raise ValueError("a card is named by plain words")
    salt, code = entropy(SALT), new_code(entropy)
    names = write_names([(text.en, text.say("zh")) for text in arms])
    hiding, proving = keys(label, number, salt, code)
    sealed = mixed(hiding, bytes([arm]) + nonce + digest_of(names))
    box = checked(to_letters(salt + sealed + tag_of(proving, label, number, salt, sealed)), BOX_CHECK)
    shown = "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))
    return EmergencyCard(number, "/".join((FORMAT, label, number, box, names)), box, shown)


def new_code(entropy: Entropy) -> str:
    """A random code of 75 bits with its check."""
    return checked(to_letters(entropy(10))[:CODE_LETTERS], CODE_CHECK)
