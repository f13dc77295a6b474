"""Who may do what: roles, their sites, role exclusion, and the one question `may(who, command, facts)`."""
