#!/usr/bin/python3
"""Layout: draws which fields of a struct share a cache line.

    layout.py FOLDER [STRUCT ...]

Reads the debugging information of the library's objects in a build folder through
pahole. Without names it draws the structs that have marks (zg_hot, zg_cold of
zerog/layout.h), and exits with 1 when a hot group lies on more lines than it needs.
"""

import glob
import os
import re
import signal
import subprocess
import sys

LINE_SIZE = 64
PAHOLE_SECONDS_MAX = 60

BEGIN = re.compile(r"^struct (\w+) \{$")
END = re.compile(r"^\}(?: __attribute__\(.*\))?;$")
# One tab: a member of the struct itself; more: of something inside it that has no name.
MEMBER = re.compile(r"^\t(?!\t)(.*);\s*/\*\s*(\d+)(?::\s*\d+)?\s+(\d+) \*/$")
SIZE = re.compile(r"^\t/\* size: (\d+),")
ATTRIBUTE = re.compile(r"\s*__attribute__\(\(.*?\)\)\)?")
MARK = re.compile(r"^zg_(hot|cold)_(\w+)$")


class Field:
    def __init__(self, name, offset, size, struct=""):
        self.name = name
        self.offset = offset
        self.size = size
        self.struct = struct  # the name of its type, where that is a struct

    @property
    def end(self):
        return self.offset + self.size


class Group:
    """Fields from one mark to the next."""

    def __init__(self, name, is_hot):
        self.name = name
        self.is_hot = is_hot
        self.fields = []

    @property
    def title(self):
        return f"{'hot' if self.is_hot else 'cold'}{' ' + self.name if self.name else ''}"

    @property
    def size(self):
        return max(field.end for field in self.fields) - self.fields[0].offset

    def line_count(self, offset=0):
        """Lines that the group has bytes on, when its struct begins so far behind a line's start."""
        start = offset + self.fields[0].offset
        return (start + self.size - 1) // LINE_SIZE - start // LINE_SIZE + 1

    def line_count_needed(self):
        return -(-self.size // LINE_SIZE)


class Struct:
    def __init__(self, name):
        self.name = name
        self.size = 0
        self.groups = [Group("", True)]
        self.has_marks = False

    @property
    def fields(self):
        return [field for group in self.groups for field in group.fields]

    def add(self, declaration, offset, size):
        name = field_name(declaration)
        mark = MARK.match(name)
        if mark:
            self.has_marks = True
            self.groups.append(Group(mark.group(2), mark.group(1) == "hot"))
        elif size > 0:
            struct = re.match(r"struct (\w+)\s+\w", declaration)
            self.groups[-1].fields.append(Field(name, offset, size,
                                                struct.group(1) if struct else ""))

    def holes(self):
        """(offset, size) of what no field has, between the fields."""
        end = 0
        for field in sorted(self.fields, key=lambda field: (field.offset, field.size)):
            if field.offset > end:
                yield end, field.offset - end
            end = max(end, field.end)

    def padding(self):
        return self.size - max((field.end for field in self.fields), default=0)


def field_name(declaration):
    """The name in a member's declaration, as pahole prints it; "" when it has none."""
    declaration = ATTRIBUTE.sub("", declaration).strip()
    pointer = re.search(r"\(\*(\w+)\)\s*\(", declaration)  # a function's
    if pointer:
        return pointer.group(1)
    found = re.search(r"(\w+)(?:\[\d*\])*(?::\d+)?$", declaration)
    return found.group(1) if found else ""


def parse(text):
    """The structs of pahole's output, by name."""
    structs = {}
    struct = None
    for line in text.splitlines():
        begin = BEGIN.match(line)
        if begin:
            struct = Struct(begin.group(1))
        elif struct and END.match(line):
            struct.groups = [group for group in struct.groups if group.fields]
            structs[struct.name] = struct
            struct = None
        elif struct:
            size = SIZE.match(line)
            member = MEMBER.match(line)
            if size:
                struct.size = int(size.group(1))
            elif member:
                struct.add(member.group(1), int(member.group(2)), int(member.group(3)))
    return structs


def problems(struct, structs):
    """What keeps hot fields from being fetched with as few lines as can be."""
    if not struct.has_marks:
        return
    for group in struct.groups:
        if not group.is_hot:
            continue
        if group.line_count() > group.line_count_needed():
            yield (f"struct {struct.name}: its {group.title} group, {group.size} bytes, lies on "
                   f"{group.line_count()} lines and fits {group.line_count_needed()}: begin it at "
                   "a line's start, or take something out")
        for field in group.fields:
            yield from embedding_problems(struct, field, structs.get(field.struct))


def embedding_problems(struct, field, inner):
    """A struct inside another may lie so that its own hot groups are split."""
    if inner is None or not inner.has_marks:
        return
    for group in inner.groups:
        if group.is_hot and group.line_count(field.offset) > group.line_count_needed():
            yield (f"struct {struct.name}: {field.name} at {field.offset} splits the {group.title} "
                   f"group of struct {inner.name}: begin it at a line's start")


def straddling(fields):
    """Fields that would fit a line and lie on two."""
    return [field for field in fields if field.size <= LINE_SIZE and
            field.offset // LINE_SIZE != (field.end - 1) // LINE_SIZE]


def draw_line(struct, number):
    """One line, a column a byte: fields begin with a bar, '.' is nobody's."""
    start = number * LINE_SIZE
    columns = ["."] * min(LINE_SIZE, struct.size - start)
    for field in struct.fields:
        text = "|" + field.name
        for place in range(field.offset, field.end):
            if start <= place < start + len(columns):
                index = place - field.offset
                columns[place - start] = text[index] if index < len(text) else " "
    return "".join(columns)


def titles_of_line(struct, number):
    return ", ".join(dict.fromkeys(group.title for group in struct.groups if any(
        field.offset // LINE_SIZE <= number <= (field.end - 1) // LINE_SIZE
        for field in group.fields)))


def whole_lines_of_one(struct, number):
    """How many lines, from this one on, are all of one field."""
    start = number * LINE_SIZE
    for field in struct.fields:
        if field.offset <= start and field.end >= start + LINE_SIZE:
            return field, (field.end - start) // LINE_SIZE
    return None, 0


def draw(struct):
    holes = list(struct.holes())
    line_count = -(-struct.size // LINE_SIZE)
    yield (f"struct {struct.name}: {struct.size} bytes, {line_count} line"
           f"{'s' if line_count > 1 else ''}; {sum(size for _, size in holes)} bytes in "
           f"{len(holes)} hole{'' if len(holes) == 1 else 's'}, {struct.padding()} of padding")
    number = 0
    while number < line_count:
        field, count = whole_lines_of_one(struct, number)
        if count > 2:
            yield (f"  {number:4} to {number + count - 1}: {field.name}".ljust(73) +
                   f"  {titles_of_line(struct, number)}")
            number += count
            continue
        titles = titles_of_line(struct, number) if struct.has_marks else ""
        yield f"  {number:4}  {draw_line(struct, number).ljust(LINE_SIZE)}|  {titles}".rstrip()
        number += 1
    for offset, size in holes:
        yield f"  hole at {offset}: {size} bytes"
    for field in straddling(struct.fields):
        yield (f"  {field.name} straddles lines {field.offset // LINE_SIZE} and "
               f"{(field.end - 1) // LINE_SIZE}")


def read_objects(folder):
    """All structs that the library's objects know."""
    structs = {}
    objects = sorted(glob.glob(os.path.join(folder, "libzerog*.a.p", "*.o")))
    if not objects:
        raise RuntimeError(f"no objects of the library in {folder}: build first")
    for path in objects:
        result = subprocess.run(["pahole", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, timeout=PAHOLE_SECONDS_MAX, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"pahole {path}: {result.stderr.strip()}")
        structs.update(parse(result.stdout))
    return structs


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    structs = read_objects(arguments[0])
    names = [re.sub(r"^struct\s+", "", name) for name in arguments[1:]]
    for name in names:
        if name not in structs:
            print(f"layout: the library's objects have no struct {name}", file=sys.stderr)
            return 2
    if not names:
        names = sorted(name for name, struct in structs.items() if struct.has_marks)
        if not names:
            print("layout: no struct has marks", file=sys.stderr)
            return 1
    found = []
    for name in names:
        print("\n".join(draw(structs[name])) + "\n")
        found += problems(structs[name], structs)
    for problem in found:
        print(f"layout: {problem}")
    if not found:
        print(f"layout: {len(names)} structs, no hot group on more lines than it needs")
    return 1 if found else 0


if __name__ == "__main__":
    # Whoever reads may have seen enough: then this ends as any filter does.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        print(f"layout: {error}", file=sys.stderr)
        sys.exit(2)
