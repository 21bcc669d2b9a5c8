"""Rules as complete tables: every combination of facts with its outcome, known or not."""
