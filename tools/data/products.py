#!/usr/bin/python3
"""Writes the storefront's catalog, 10,000 products that nobody makes: the same ones each time.

    products.py [FILE]          apps/storefront/data/products.csv

A name is a quality, a colour or material, a thing and a variant, put together from the lists below
by a generator of its own, since that of the standard library may differ between versions.
"""

import csv
import os
import sys

COUNT = 10000
SEED = 20240229
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILE = os.path.join("apps", "storefront", "data", "products.csv")
HEADER = ["sku", "name", "category", "price", "currency", "stock", "colour", "emoji"]

# Letters of the SKU, emoji, lowest and highest price in cents, things.
CATEGORIES = {
    "Kitchen": ("KI", "🍳", 390, 18900, ["Frying Pan", "Saucepan", "Bread Knife", "Chopping Board",
                                        "Mixing Bowl", "Rolling Pin", "Salad Spinner", "Colander",
                                        "Pepper Mill", "Casserole", "Whisk", "Ladle"]),
    "Coffee & Tea": ("CT", "☕", 290, 24900, ["Mug", "Teapot", "French Press", "Coffee Grinder",
                                             "Espresso Cup", "Kettle", "Tea Tin", "Milk Jug",
                                             "Pour-over Dripper", "Travel Mug"]),
    "Home Textiles": ("HT", "🧺", 490, 14900, ["Cushion", "Throw", "Tea Towel", "Bath Towel",
                                              "Tablecloth", "Curtain", "Bedspread", "Bath Mat",
                                              "Duvet Cover", "Napkin Set"]),
    "Lighting": ("LI", "💡", 990, 39900, ["Desk Lamp", "Floor Lamp", "Pendant", "Wall Light",
                                         "Lantern", "Reading Light", "Fairy Lights", "Night Light"]),
    "Furniture": ("FU", "🪑", 3900, 129900, ["Chair", "Stool", "Side Table", "Bookcase", "Bench",
                                            "Coat Rack", "Desk", "Armchair", "Shoe Cabinet",
                                            "Bedside Table"]),
    "Garden": ("GA", "🌱", 190, 19900, ["Watering Can", "Trowel", "Plant Pot", "Secateurs", "Rake",
                                       "Bird Feeder", "Herb Planter", "Garden Hose", "Seed Tray",
                                       "Wheelbarrow"]),
    "Stationery": ("ST", "✏️", 90, 5900, ["Notebook", "Fountain Pen", "Pencil Case", "Sketchbook",
                                         "Desk Pad", "Ring Binder", "Ruler", "Letter Tray",
                                         "Wall Calendar", "Ink Bottle"]),
    "Toys & Games": ("TG", "🧸", 490, 8900, ["Puzzle", "Building Blocks", "Teddy Bear", "Kite",
                                            "Board Game", "Spinning Top", "Marble Run", "Toy Train",
                                            "Card Game", "Yo-yo"]),
    "Sport & Outdoor": ("SO", "⛺", 690, 39900, ["Rucksack", "Tent", "Sleeping Bag", "Water Bottle",
                                               "Head Torch", "Yoga Mat", "Camping Stove", "Hammock",
                                               "Cycling Gloves", "Picnic Blanket"]),
    "Bags": ("BA", "👜", 1290, 24900, ["Tote Bag", "Messenger Bag", "Wash Bag", "Wallet",
                                      "Laptop Sleeve", "Weekender", "Shoulder Bag", "Key Ring"]),
    "Clothing": ("CL", "🧣", 790, 17900, ["Scarf", "Beanie", "T-shirt", "Jumper", "Socks", "Raincoat",
                                         "Apron", "Gloves", "Pyjamas", "Cardigan"]),
    "Books": ("BO", "📚", 690, 4900, ["Cookbook", "Atlas", "Field Guide", "Picture Book", "Novel",
                                     "Poetry Collection", "Travel Journal", "Dictionary"]),
    "Audio": ("AU", "🎧", 1490, 59900, ["Headphones", "Bookshelf Speaker", "Turntable", "Radio",
                                       "Microphone", "Earbuds", "Amplifier", "Soundbar"]),
    "Tools": ("TO", "🔧", 390, 24900, ["Hammer", "Screwdriver", "Spirit Level", "Hand Saw", "Pliers",
                                      "Tape Measure", "Cordless Drill", "Toolbox", "Chisel"]),
    "Bath & Care": ("BC", "🧼", 290, 5900, ["Soap", "Hand Cream", "Bath Salts", "Hairbrush",
                                           "Shaving Brush", "Candle", "Sponge", "Soap Dish"]),
}
QUALITIES = ["Classic", "Everyday", "Compact", "Large", "Small", "Heavy-duty", "Lightweight", "Folding",
             "Handmade", "Vintage", "Modern", "Nordic", "Rustic", "Slim", "Deluxe", "Simple",
             "Travel", "Family", "Studio", "Weekend", "Little", "Grand", "Essential", "Artisan"]
LOOKS = {
    "Red": "c0392b", "Blue": "2471a3", "Green": "1e8449", "Yellow": "d4ac0d", "Orange": "ca6f1e",
    "Black": "2c2c2c", "White": "e8e8e4", "Grey": "7f8c8d", "Navy": "1b2a49", "Teal": "148f77",
    "Pink": "d98cb3", "Lilac": "9b7fb8", "Sand": "c9b18c", "Olive": "6b7a3a", "Copper": "b87333",
    "Oak": "a67c52", "Walnut": "5d4037", "Bamboo": "c4a35a", "Steel": "8a949e", "Brass": "b5a642",
    "Linen": "d8cfc0", "Wool": "b9a89a", "Ceramic": "ddd5c7", "Crème": "efe3c8", "Slate": "4a5560",
}
VARIANTS = ["", "", "", "No. 1", "No. 2", "No. 3", "No. 5", "No. 7", "Mini", "XL", "Pair", "Set of 4",
            "Set of 6", "\"Harbour\"", "\"Meadow\"", "\"Orchard\"", "\"Lighthouse\""]


class Random:
    """SplitMix64 (Steele, Lea, Flood, 2014)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, count):
        self.state = (self.state + 0x9E3779B97F4A7C15) & (2 ** 64 - 1)
        value = self.state
        value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & (2 ** 64 - 1)
        value = ((value ^ value >> 27) * 0x94D049BB133111EB) & (2 ** 64 - 1)
        return (value ^ value >> 31) % count

    def pick(self, choices):
        return choices[self.below(len(choices))]


def price_of(random, lowest, highest):
    """Cheap things are many, dear ones few; and prices end as prices do."""
    share = random.below(1000) * random.below(1000)
    cents = lowest + (highest - lowest) * share // 998001
    ending = random.pick([90, 90, 95, 99, 50, 0])
    return max(cents // 100 * 100 + ending, 50)


def stock_of(random):
    return 0 if random.below(50) == 0 else 1 + random.below(20) * random.below(20)


def products():
    random = Random(SEED)
    names = set()
    counts = dict.fromkeys(CATEGORIES, 0)
    while len(names) < COUNT:
        category = random.pick(list(CATEGORIES))
        letters, emoji, lowest, highest, things = CATEGORIES[category]
        look = random.pick(list(LOOKS))
        variant = random.pick(VARIANTS)
        name = " ".join(part for part in (random.pick(QUALITIES), look, random.pick(things)) if part)
        if variant:
            name += ", " + variant
        if name in names:
            continue
        names.add(name)
        counts[category] += 1
        price = price_of(random, lowest, highest)
        yield [f"{letters}-{counts[category]:04d}", name, category, f"{price // 100}.{price % 100:02d}",
               "EUR", str(stock_of(random)), LOOKS[look], emoji]


def write(file):
    writer = csv.writer(file, lineterminator="\r\n")  # RFC 4180
    writer.writerow(HEADER)
    writer.writerows(products())


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, FILE)
    with open(path, "w", encoding="utf-8", newline="") as file:
        write(file)


if __name__ == "__main__":
    main()
