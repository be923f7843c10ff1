"""How a store is read: stages, progress, retries and the engine, without I/O."""
