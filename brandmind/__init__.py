"""BrandMind: the command centre of a Shopify merchant."""

import sys

# httpx loads a command line of its own, with colours and highlighting, where it finds them
# installed: nobody here asks for it, and each process would carry it.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
