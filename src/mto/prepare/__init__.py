"""Raw text to task-related pairs: sentences, selection, splitter, router, controls, hygiene."""
