"""The world outside: databases, object stores, scraper files. Siblings that flows never import."""
