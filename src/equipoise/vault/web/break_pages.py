"""Pages of the second door: not built yet; `urlpatterns` is what vault.web.urls takes in."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
