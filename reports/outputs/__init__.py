"""The formats of a report besides the page: terminal, Markdown, CSV, LaTeX."""
