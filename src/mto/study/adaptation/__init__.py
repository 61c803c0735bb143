"""The study of adaptation: which objective, on which pairs, and what the whole way gains."""
