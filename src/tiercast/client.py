"""The Python face of Tiercast: the same answers in process and over HTTP."""
