"""From a source's reading to the store: resolve, clean, append, step the engine, rebuild what comes late."""
