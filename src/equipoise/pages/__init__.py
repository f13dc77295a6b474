"""What both doors' pages share: base templates, stylesheet, icons."""
