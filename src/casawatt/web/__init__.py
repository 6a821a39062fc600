"""The HTTP API and the built pages; they only ask the store."""
