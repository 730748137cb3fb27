"""The gate's questions, one short class each. They judge evidence; they never gather it."""
