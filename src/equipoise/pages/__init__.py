"""What the pages of both doors share: base templates, one stylesheet, icons, and the tags that speak two languages."""
