"""A local Shopify whose customers all carry the same marks: `python -m tests.canary_shopify`.

Whatever is found of them elsewhere came from here, and nothing else looks like them.
"""

from __future__ import annotations

from brandmind.simulator import brand, customer_nodes
from brandmind.simulator.people import Person, person

NAME = "Quimbycanary"
MAIL = "mailcanary.example"
PHONE = "+49170555019283"
STREET = "Lanecanary"


def marked(seed: int, index: int) -> Person:
    """The customer of that number, with the marks."""
    found = person(seed, index)
    found.first_name, found.last_name = "Zebulon", f"{NAME} O’Neil-{index}"
    found.email = f"z{index}@{MAIL}"
    found.phone = PHONE
    return found


def main() -> None:
    """Run the simulator with marked people in it."""
    from brandmind.simulator import __main__ as simulator

    brand.person = marked
    node = customer_nodes.customer_node

    def marked_node(*args: object, **kwargs: object) -> dict[str, object]:
        made: dict[str, object] = node(*args, **kwargs)  # type: ignore[arg-type]
        for address in (made["defaultAddress"], *made["addressesV2"]):  # type: ignore[misc]
            if address is not None:
                address["address1"] = f"7 {STREET}"
        return made

    brand.customer_node = marked_node  # type: ignore[attr-defined]
    simulator.main()


if __name__ == "__main__":
    main()
