"""zerog in gdb: handles, pools, arenas and slices as a reader wants them.

    (gdb) source tools/gdb/zerog.py
    (gdb) print handle
    $1 = tag 120 'x', index 5, generation 7
    (gdb) zerog-pools

Works on a core file as well: only memory is read, nothing is called.
"""

import gdb

INDEX_SHIFT = 36
TAG_SHIFT = 56
INDEX_MASK = (1 << 20) - 1
GENERATION_MASK = (1 << INDEX_SHIFT) - 1
SLICE_SHOWN_MAX = 200


def text_of(pointer):
    """A C string in quotes; what cannot be read is said to be so."""
    if int(pointer) == 0:
        return "without a name"
    try:
        return '"' + pointer.string(errors="replace") + '"'
    except gdb.MemoryError:
        return f"at {int(pointer):#x}, which cannot be read"


class HandlePrinter:
    """tag 120 'x', index 5, generation 7"""

    def __init__(self, value):
        self.bits = int(value["bits"])

    def to_string(self):
        if self.bits == 0:
            return "none"
        tag = self.bits >> TAG_SHIFT
        letter = f" '{chr(tag)}'" if 32 < tag < 127 else ""
        return (f"tag {tag}{letter}, index {self.bits >> INDEX_SHIFT & INDEX_MASK}, "
                f"generation {self.bits & GENERATION_MASK}")


class PoolPrinter:
    """"exchanges": 3 taken, 253 free (251 at least) of 256 blocks of 19008 bytes, 0 refused"""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        pool = self.value
        if int(pool["magic"]) == 0:
            return "no pool: not initialised, or ended"
        free, retired, count = (int(pool[name])
                                for name in ("free_count", "retired_count", "block_count"))
        text = (f"{text_of(pool['name'])}: {count - free - retired} taken, {free} free "
                f"({int(pool['free_count_low'])} at least) of {count} blocks of "
                f"{int(pool['block_size_asked'])} bytes, "
                f"{int(pool['refuse_count'])} refused")
        if retired:
            text += f", {retired} retired"
        if int(pool["misuse_count"]):
            text += f", {int(pool['misuse_count'])} misused"
        if int(pool["is_armed"]):
            text += ", a fault is armed"
        return text


class ArenaPrinter:
    """2 chunks of at most 4 from "arena chunks", 1008 bytes left here, 0 refused"""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        arena = self.value
        if int(arena["magic"]) == 0:
            return "no arena: not initialised, or ended"
        left = int(arena["limit"]) - int(arena["cursor"])
        where = ("no chunk pool" if int(arena["chunks"]) == 0 else
                 f"{int(arena['chunk_count'])} chunks of at most "
                 f"{int(arena['chunk_count_max'])} from {text_of(arena['chunks']['name'])}")
        return f"{where}, {left} bytes left here, {int(arena['refuse_count'])} refused"


class SlicePrinter:
    """The bytes, in quotes."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        size = int(self.value["size"])
        if size == 0:
            return '""'
        try:
            data = bytes(gdb.selected_inferior().read_memory(int(self.value["data"]),
                                                             min(size, SLICE_SHOWN_MAX)))
        except gdb.MemoryError:
            return f"{size} bytes at {int(self.value['data']):#x}, which cannot be read"
        text = repr(data.decode("latin-1"))[1:-1].replace('"', '\\"')
        return f'"{text}"' + (f"... of {size} bytes" if size > SLICE_SHOWN_MAX else "")


PRINTERS = {"zg_handle": HandlePrinter, "zg_pool": PoolPrinter, "zg_arena": ArenaPrinter,
            "zg_slice": SlicePrinter}


def printer_of(value):
    """gdb asks this for every value it prints."""
    names = (value.type.name, value.type.strip_typedefs().tag)
    return next((PRINTERS[name](value) for name in names if name in PRINTERS), None)


class PoolsCommand(gdb.Command):
    """zerog-pools: everything that holds memory in this program, in the order of its making."""

    def __init__(self):
        super().__init__("zerog-pools", gdb.COMMAND_DATA)

    def invoke(self, _argument, _from_tty):
        try:
            watched = gdb.parse_and_eval("'registry.c'::registry_first")
            pool_type = gdb.lookup_type("struct zg_pool")
        except gdb.error as error:
            raise gdb.GdbError(f"no zerog with debug symbols here: {error}") from error
        offset = next(field.bitpos // 8 for field in pool_type.fields()
                      if field.name == "watched")
        while int(watched) != 0:
            kind = watched["class_of"]["kind"].string()
            if kind == "pool":
                pool = gdb.Value(int(watched) - offset).cast(pool_type.pointer())
                print(f"{int(pool):#x} pool {PoolPrinter(pool.dereference()).to_string()}")
            else:
                print(f"{int(watched):#x} {kind}")
            watched = watched["next"]


gdb.pretty_printers.append(printer_of)
PoolsCommand()
