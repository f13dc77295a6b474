"""The first door's pages: accounts, pages, saving. Thin: no rule of the trial lives here."""
