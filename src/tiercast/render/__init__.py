"""What flows return, made visible: tables, pages, bars, logs."""
