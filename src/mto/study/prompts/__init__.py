"""The study of soft prompts: which encoder and family, how far behind fine-tuning, and what the authors' notes are worth."""
