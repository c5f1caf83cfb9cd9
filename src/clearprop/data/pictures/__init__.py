"""Picture files and folders of them, to pixels."""
