"""What every package may use: errors, settings, files, tables, contracts and columns."""
