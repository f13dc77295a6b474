"""Template tags that say things in the reader's language: `{% load words %}`.

A form page has some three hundred of these tags. Those whose text is known when the template is read (a key without
arguments, an icon by its name) are written once for each language, and `text` goes straight to its value: Django's own
simple tags take half of the time of such a page.

The rule that must stay true: every sentence on a page comes from the one catalogue or from the study, and is
escaped on its way out. The language of a page is the context's `language` (en or zh).
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.contrib.staticfiles import finders
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeData, SafeString

from equipoise.words.problem import Problem
from equipoise.words.problem import problem as as_problem
from equipoise.words.text import Language, Text

register = template.Library()
_general = template.Library()
"""The same tags in Django's general form: with arguments, or with `as`."""

Context = Mapping[str, Any]  # Any: what Django hands to a template


def language_of(context: Context) -> Language:
    """The language of the page being written; English where none is set."""
    return "zh" if context.get("language") == "zh" else "en"


@_general.simple_tag(takes_context=True)
def say(context: Context, key: str, **arguments: object) -> str:
    """The message `key` with its arguments: `{% say "pages.hello" name=person %}`."""
    return as_problem(key, "", **arguments).say(language_of(context))


@_general.simple_tag(takes_context=True)
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


@_general.simple_tag
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


class _Fixed(template.Node):
    """A text that is known when the template is read: written once for each language."""

    def __init__(self, write: Callable[[Language], str]) -> None:
        self._write = cache(write)

    def render(self, context: Any) -> SafeString:  # Any: Django's context
        return SafeString(self._write(language_of(context)))


class _Text(template.Node):
    """A text of the study that one expression names."""

    def __init__(self, value: Any) -> None:  # Any: Django's compiled expression
        self._value = value

    def render(self, context: Any) -> str:
        value = self._value.resolve(context)
        return _escaped(value.say(language_of(context)) if isinstance(value, Text) else value or "")


def _escaped(value: object) -> str:
    if isinstance(value, SafeData):
        return str(value)
    return html.escape(str(value))


def _literal(words: list[str]) -> str | None:
    """The one argument of a tag where it is written out in quotes."""
    if len(words) != 2 or len(words[1]) < 2 or words[1][0] not in "\"'" or words[1][0] != words[1][-1]:
        return None
    return words[1][1:-1]


@register.tag("say")
def _compile_say(parser: Any, token: Any) -> template.Node:  # Any: Django's parser
    key = _literal(token.split_contents())
    if key is None:
        return _compiled("say", parser, token)
    return _Fixed(lambda language: html.escape(as_problem(key).say(language)))


@register.tag("icon")
def _compile_icon(parser: Any, token: Any) -> template.Node:
    name = _literal(token.split_contents())
    return _compiled("icon", parser, token) if name is None else _Fixed(lambda language: icon(name))


@register.tag("text")
def _compile_text(parser: Any, token: Any) -> template.Node:
    words = token.split_contents()
    if len(words) != 2:
        return _compiled("text", parser, token)
    return _Text(parser.compile_filter(words[1]))


def _compiled(name: str, parser: Any, token: Any) -> template.Node:
    node: template.Node = _general.tags[name](parser, token)
    return node
