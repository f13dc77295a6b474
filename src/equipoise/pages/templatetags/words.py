"""Template tags that say things in the reader's language: `{% load words %}`.

The rule that must stay true: every sentence on a page comes from the one catalogue or from the study, and is
escaped on its way out. The language of a page is the context's `language` (en or zh).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.contrib.staticfiles import finders
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from equipoise.words.problem import Problem
from equipoise.words.problem import problem as as_problem
from equipoise.words.text import Language, Text

register = template.Library()

Context = Mapping[str, Any]  # Any: what Django hands to a template


def language_of(context: Context) -> Language:
    """The language of the page being written; English where none is set."""
    return "zh" if context.get("language") == "zh" else "en"


@register.simple_tag(takes_context=True)
def say(context: Context, key: str, **arguments: object) -> str:
    """The message `key` with its arguments: `{% say "pages.hello" name=person %}`."""
    return as_problem(key, "", **arguments).say(language_of(context))


@register.simple_tag(takes_context=True)
def text(context: Context, value: Text | str | None) -> str:
    """A text of the study in the reader's language, or the bare string; nothing for None."""
    if isinstance(value, Text):
        return value.say(language_of(context))
    return value or ""


@register.simple_tag(takes_context=True)
def foreign(context: Context, value: Text | str | None) -> SafeString:
    """A text as `text` gives it, marked with its language where it is not the page's (read aloud rightly)."""
    shown = conditional_escape(text(context, value))
    if language_of(context) == "zh" and isinstance(value, Text) and value.zh is None:
        return format_html('<span lang="en">{}</span>', shown)
    return SafeString(shown)


@register.simple_tag(takes_context=True)
def problem(context: Context, value: Problem) -> str:
    """What a Problem says."""
    return value.say(language_of(context))


@register.simple_tag
def icon(name: str) -> SafeString:
    """One of our own line icons (static/icons.svg), for the eye only: the words beside it carry the meaning."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        asset("icons.svg"),
        name,
    )


@register.simple_tag
def asset(name: str) -> str:
    """Address of a static file with a mark of its content, so that browsers may keep it for a month."""
    return f"/static/{name}?v={_mark(name)}"


@cache
def _mark(name: str) -> str:
    found = finders.find(name)
    if not isinstance(found, str):
        raise LookupError(f"no static file {name}")
    return hashlib.sha256(Path(found).read_bytes()).hexdigest()[:10]
