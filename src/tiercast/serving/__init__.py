"""A service as it runs, without a word of HTTP: what it holds, what it keeps, what it looks at, what it starts."""
