"""One command runs it all: embedded Valkey, migrations, simulator, worker, web."""
