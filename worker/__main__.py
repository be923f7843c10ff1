"""`python -m worker`."""

from brandmind import collector

collector.look_rarely()

from worker.main import main  # noqa: E402 - loaded once the collector looks rarely

main()
