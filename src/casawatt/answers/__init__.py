"""Questions that need several meters, the config and the store together: answered by the engine, from what is kept."""
