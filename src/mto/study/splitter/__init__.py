"""The study of the splitters: how often each finds the target in sentences of relations that it never saw."""
