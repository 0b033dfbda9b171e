"""Who may ask the sandbox and what is sold there: merchants, tokens, products (contract §4, §9, §12)."""

from msgspec import Struct

OWNER = "merchant_owner"
DEVELOPER = "merchant_developer"
ACCOUNTING = "merchant_accounting"
SUPPORT = "merchant_support"
VIEW_ONLY = "merchant_view_only"
SYSTEM_ADMIN = "system_admin"


class Project(Struct, frozen=True):
    """A game of a merchant, with the secret that signs its webhooks (contract §9.1)."""

    id: str
    merchant_id: str
    name: dict[str, str]
    secret: str
    site: str
    vat_payer: str


class Merchant(Struct, frozen=True):
    """A company that sells through PaySuper."""

    id: str
    name: str
    agreement: str
    projects: tuple[Project, ...]


class User(Struct, frozen=True):
    """What a bearer token stands for: one user with one role at one merchant (contract §2, §4)."""

    merchant_id: str
    user_id: str
    role: str
    first_name: str
    last_name: str
    email: str


class Product(Struct, frozen=True):
    """Something an order item refers to; `platforms` makes it a key product (contract §9.2)."""

    id: str
    project_id: str
    sku: str
    name: str
    description: str
    price: float
    platforms: tuple[str, ...] = ()


class Method(Struct, frozen=True):
    """A way to pay; `id` is what the filter `payment_method[]` wants (contract §5.1, §6.3)."""

    id: str
    external_id: str
    title: str


class Currency(Struct, frozen=True):
    """Digits after the point and the worth of one unit in the payout currency."""

    digits: int
    usd: float


LANTERN_ID = "5f8a1c0e9b3d4e0001a7c201"
COPPER_ID = "5f8a1c0e9b3d4e0001a7c900"

_HARBOUR = Project(
    "5f8a1d2b9b3d4e0001a7c2f0",
    LANTERN_ID,
    {"en": "Lantern Harbour", "ru": "Гавань фонарей"},
    "sandbox-harbour-webhook-secret",
    "https://lantern.example.com",
    "buyer",
)
_SNOW = Project(
    "5f8a1d2b9b3d4e0001a7c2f1",
    LANTERN_ID,
    {"en": "Snow Defender"},
    "sandbox-snow-webhook-secret",
    "https://snow.example.com",
    "seller",
)
_KETTLE = Project(
    "5f8a1d2b9b3d4e0001a7c9f0",
    COPPER_ID,
    {"en": "Kettle Quest"},
    "sandbox-kettle-webhook-secret",
    "https://kettle.example.com",
    "buyer",
)

MERCHANTS = (
    Merchant(LANTERN_ID, "Lantern Works GmbH", "0207-4410923", (_HARBOUR, _SNOW)),
    Merchant(COPPER_ID, "Copper Kettle Ltd", "0311-5520187", (_KETTLE,)),
)
MERCHANT_BY_ID = {merchant.id: merchant for merchant in MERCHANTS}
PROJECTS = {project.id: project for merchant in MERCHANTS for project in merchant.projects}

TOKENS = {
    "sandbox-lantern-owner-token": User(
        LANTERN_ID, "5f8a1b779b3d4e0001a7c1aa", OWNER, "Olga", "Owner", "owner@lantern.example.com"
    ),
    "sandbox-lantern-developer-token": User(
        LANTERN_ID, "5f8a1b779b3d4e0001a7c1ab", DEVELOPER, "Dana", "Developer", "dev@lantern.example.com"
    ),
    "sandbox-lantern-accounting-token": User(
        LANTERN_ID, "5f8a1b779b3d4e0001a7c1ac", ACCOUNTING, "Aki", "Accounting", "books@lantern.example.com"
    ),
    "sandbox-lantern-support-token": User(
        LANTERN_ID, "5f8a1b779b3d4e0001a7c1ad", SUPPORT, "Sam", "Support", "help@lantern.example.com"
    ),
    "sandbox-lantern-view-only-token": User(
        LANTERN_ID, "5f8a1b779b3d4e0001a7c1ae", VIEW_ONLY, "Vera", "Viewer", "view@lantern.example.com"
    ),
    "sandbox-copper-owner-token": User(
        COPPER_ID, "5f8a1b779b3d4e0001a7c9aa", OWNER, "Colin", "Owner", "owner@copper.example.com"
    ),
    "sandbox-staff-token": User(
        "", "5f8a1b779b3d4e0001a7c0aa", SYSTEM_ADMIN, "Stella", "Staff", "staff@paysuper.example.com"
    ),
}

METHODS = {
    method.external_id: method
    for method in (
        Method("5be9f0d4c1b2a30007384d01", "BANKCARD", "Bank card"),
        Method("5be9f0d4c1b2a30007384d02", "QIWI", "Qiwi"),
        Method("5be9f0d4c1b2a30007384d03", "WEBMONEY", "WebMoney"),
        Method("5be9f0d4c1b2a30007384d04", "NETELLER", "Neteller"),
        Method("5be9f0d4c1b2a30007384d05", "ALIPAY", "Alipay"),
        Method("5be9f0d4c1b2a30007384d06", "BITCOIN", "Bitcoin"),
    )
}
PAYMENT_SYSTEM_ID = "5be9f0d4c1b2a30007384ce1"
OPERATING_COMPANY_ID = "5d7e2a91f4c8b60001d3e945"

CURRENCIES = {
    "EUR": Currency(2, 1.21),
    "USD": Currency(2, 1.0),
    "GBP": Currency(2, 1.38),
    "RUB": Currency(2, 0.0135),
    "JPY": Currency(0, 0.0095),
    "BHD": Currency(3, 2.65),
    "KRW": Currency(0, 0.0009),
}
PAYOUT_CURRENCY = "USD"

# Countries without a refund tariff: their orders answer rf000007 (contract §7.2 step 6).
NO_REFUND_TARIFF = ("ZA",)

DECLINES = {
    "01": "System malfunction",
    "02": "Cancelled by customer",
    "03": "Declined by antifraud",
    "04": "Declined by 3-D Secure",
    "05": "Only 3-D Secure transactions are allowed",
    "06": "3-D Secure availability is unknown",
    "07": "Limit reached",
    "08": "Requested operation is not supported",
    "10": "Declined by bank (reason not specified)",
    "11": "Common decline by bank",
    "13": "Insufficient funds",
    "14": "Card limit reached",
    "15": "Incorrect card data",
    "16": "Declined by bank's antifraud",
    "17": "Bank's malfunction",
    "18": "Connection problem",
    "21": "No payment was received",
    "22": "Wrong amount was received",
    "23": "Confirmations timed out",
}

PLATFORMS = {"steam": "Steam", "gog": "GOG", "uplay": "Uplay", "origin": "Origin", "itch": "itch.io"}

# Some names are hostile to careless pages and sheets.
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
