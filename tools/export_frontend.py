"""Compile the pages and build the frontend into .web, and touch nothing else of the checkout.

`reflex export` would also edit .gitignore and may write a requirements.txt.
"""

from __future__ import annotations

from reflex.utils import export, prerequisites
from reflex_base import constants
from reflex_base.environment import environment


def main() -> None:
    environment.REFLEX_COMPILE_CONTEXT.set(constants.CompileContext.EXPORT)
    environment.REFLEX_ENV_MODE.set(constants.Env.PROD)
    prerequisites.initialize_reflex_user_directory()
    prerequisites.initialize_frontend_dependencies()
    export.export(zipping=False, backend=False)


if __name__ == "__main__":
    main()
