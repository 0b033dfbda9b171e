"""How a key is activated where the customer plays."""

from dataclasses import dataclass

from fulfillment.receipts.languages import Language


@dataclass(frozen=True)
class Platform:
    """A place to activate keys: in a program, or on a site. `menu` is what to choose there."""

    name: str
    site: str
    program: str = ""
    menu: str = ""


# By PaySuper's ids. The menus are in English in the catalogues' source: some programs call them otherwise.
PLATFORMS = {
    "steam": Platform(
        "Steam", "store.steampowered.com/about", "Steam", "Games → Activate a Product on Steam"
    ),
    "gog": Platform("GOG", "www.gog.com/redeem"),
    "uplay": Platform("Ubisoft Connect (Uplay)", "www.ubisoft.com", "Ubisoft Connect", "Activate a key"),
    "origin": Platform("EA app (Origin)", "www.ea.com/ea-app", "EA app", "Redeem code"),
    "psn": Platform("PlayStation Network", "store.playstation.com", menu="Redeem Codes"),
    "xbox": Platform("Xbox", "redeem.microsoft.com"),
    "nintendo": Platform("Nintendo eShop", "ec.nintendo.com/redeem"),
    "itch": Platform("itch.io", "itch.io"),
    "egs": Platform("Epic Games Store", "store.epicgames.com", "Epic Games Launcher", "Redeem Code"),
}
PLATFORMS["epic"] = PLATFORMS["egs"]


def platform(platform_id: str) -> Platform:
    """The platform with this id; one that is not known is called by its id."""
    return PLATFORMS.get(platform_id.lower()) or Platform(platform_id, "")


def steps(platform_id: str, language: Language) -> list[str]:
    """What the customer does, one step a sentence."""
    place, say = platform(platform_id), language.say
    if not place.site:
        return [say("Enter the key where you play on {platform}.", platform=place.name)]
    if place.program:
        begin = say(
            "Open {program} and sign in. If you do not have it yet, install it from {site}.",
            program=place.program,
            site=place.site,
        )
    else:
        begin = say("Sign in at {site}.", site=place.site)
    if platform_id == "itch":
        return [begin, say("If the key is a web address, open it; else enter it on the page of the game.")]
    choose = [say("Choose “{menu}”.", menu=say(place.menu))] if place.menu else []
    return [begin, *choose, say("Enter the key and confirm."), say("Install the game from your library.")]
