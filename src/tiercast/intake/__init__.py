"""What a scraped row becomes: pure rules from raw values to canonical rows or a named reason to refuse them."""
