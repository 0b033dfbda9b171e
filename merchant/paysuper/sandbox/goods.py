"""The products and key products of the sandbox's projects, some with hostile names (contract §9.2)."""

from merchant.paysuper.sandbox.catalogue import MERCHANTS, Product

_LONG_NAME = "The Collected Chronicles of the Lighthouse Keepers, " * 12

_GOODS: tuple[tuple[str, str, str, float, tuple[str, ...]], ...] = (
    ("boat", "Rowing Boat & Oars", "Seats two.", 9.99, ()),
    ("lamp", "Storm <b>Lamp</b>", 'Burns for 40 "hours".', 2.49, ()),
    ("map", '=HYPERLINK("https://evil.example.com","Old Map")', "Paper, folded.", 0.99, ()),
    ("owl", "🦉 Owl\nwith two lines", "Says\u2028hoo.", 4.5, ()),
    ("tale", "Tale \u202egnihsif\u202c <script>alert(1)</script>", "", 14.95, ()),
    ("chronicle", _LONG_NAME.strip(), "Very long.", 29.0, ()),
    ("key-std", "Standard Edition", "Base game key.", 24.99, ("steam", "gog")),
    ("key-dlx", "Deluxe Édition", "Game, music and art.", 39.99, ("steam", "uplay", "gog")),
    ("key-art", "Art Book 'n' More", "Pictures only.", 7.77, ("itch",)),
)


def _shelf() -> list[Product]:
    projects = [project for merchant in MERCHANTS for project in merchant.projects]
    return [
        Product(
            f"5f9c00aa1c9d44000000{place:02x}{row:02x}",
            project.id,
            f"p{place}-{sku}",
            name,
            text,
            price,
            platforms,
        )
        for place, project in enumerate(projects, start=1)
        for row, (sku, name, text, price, platforms) in enumerate(_GOODS, start=1)
    ]


GOODS = {product.id: product for product in _shelf()}
PRODUCTS = {
    project.id: tuple(p for p in GOODS.values() if p.project_id == project.id and not p.platforms)
    for merchant in MERCHANTS
    for project in merchant.projects
}
KEY_PRODUCTS = {
    project.id: tuple(p for p in GOODS.values() if p.project_id == project.id and p.platforms)
    for merchant in MERCHANTS
    for project in merchant.projects
}
