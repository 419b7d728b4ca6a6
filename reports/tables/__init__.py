"""What a report says, as plain tables: one file a subject, no output format in any."""
