"""A plan as a person sees it: at a terminal, as Markdown, as files; the command `preview`."""
