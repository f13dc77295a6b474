"""The web pages: Django, thin. No rule of the trial lives here."""
