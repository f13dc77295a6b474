"""The public page over HTTP: no sign-in, no state, nothing kept of what a visitor does."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from equipoise.web.public.page import public_page
from equipoise.web.request import Asked, desk


@require_safe
def trial(request: Asked) -> HttpResponse:
    """The page of the study in force, in the reader's language."""
    page = public_page(desk().study, request.language, timezone.now().date())
    return render(request, "public/trial.html", {"page": page})
