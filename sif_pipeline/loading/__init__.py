"""From messages to the warehouse: claim, fold, write and settle, so that every row follows from what was received."""
