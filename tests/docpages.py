"""Reads the documentation: its pages, blocks of code, commands, links, headings and words of code.

Nothing here is a list of what there is: a page that is added, and a command on it, is found.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATTERNS = (
    *("README.md", "CONTRIBUTING.md", "docs/*.md", "model/README.md", "output/README.md"),
    *("images/CREDITS.md", "notebooks/*.md", "notebooks/course/*.md"),
)
COMMANDS, PYTHON, TEXT = "", "python", "text"  # what stands behind the three backticks
LISTS = ("toml", "csv", "json")  # of jobs
FENCE = re.compile(r"^( *)```(.*)$")
HEADING = re.compile(r"^#+ +(.+?) *$", re.M)
LINK = re.compile(r"(!?)\[((?:[^][]|\[[^][]*\])*)\]\(([^()\s]+)\)")
INLINE = re.compile(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)", re.S)
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9_-]*")


def pages():
    """Return the paths of all pages, from the root of the repository."""
    found = [path for pattern in PATTERNS for path in sorted(ROOT.glob(pattern))]
    return [path.relative_to(ROOT).as_posix() for path in found]


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Block:
    """What stands between two lines of three backticks."""

    page: str
    line: int  # of its first line
    language: str
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}"


def blocks(page):
    """Return the blocks of a page; one that is not closed is refused."""
    found, begun = [], None
    for number, line in enumerate(read(page).splitlines(), 1):
        fence = FENCE.match(line)
        if not fence:
            if begun:
                begun[2].append(line)
        elif begun:
            first, language, lines = begun
            found.append(Block(page, first, language, "\n".join(lines) + "\n"))
            begun = None
        else:
            begun = number + 1, fence[2].strip(), []
    assert not begun, f"{page}: the block at line {begun[0]} has no end"
    return found


def all_blocks(*languages):
    return [block for page in pages() for block in blocks(page) if block.language in languages]


@dataclass(frozen=True)
class Command:
    """A line to type, put together from those that end in a backslash."""

    where: str
    text: str

    @property
    def words(self):
        """The words of it as a shell has them, without its comment."""
        return shlex.split(self.text, comments=True)

    @property
    def status(self):
        """The exit status that its comment announces, as in ``# refused, status 2``."""
        found = re.search(r"#.*\bstatus (\d+)", self.text)
        return int(found[1]) if found else 0


def commands(block):
    """Return the commands of a block."""
    found, begun = [], ""
    for number, line in enumerate(block.text.splitlines(), block.line):
        begun += line.strip()
        if begun.endswith("\\"):
            begun = begun[:-1].rstrip() + " "
            continue
        command, begun = Command(f"{block.page}:{number}", begun), ""
        if command.words:
            found.append(command)
    assert not begun, f"{block}: it ends in a backslash"
    return found


def all_commands():
    return [command for block in all_blocks(COMMANDS) for command in commands(block)]


def prose(page):
    """Return a page without its blocks, line by line as it was."""
    lines, inside = [], False
    for line in read(page).splitlines():
        fence = FENCE.match(line)
        lines.append("" if inside or fence else line)
        inside ^= bool(fence)
    return "\n".join(lines)


def links(page):
    """Return (line, whether it is a picture, its words, where it leads) of each link."""
    text = prose(page)
    without_code = INLINE.sub(lambda found: "x" * len(found[0]), text)
    return [
        (text[: found.start()].count("\n") + 1, found[1] == "!", found[2], found[3])
        for found in LINK.finditer(without_code)
        if not re.match(r"[a-z]+:", found[3])
    ]


def anchors(page):
    """Return what ``page#anchor`` may say: the headings as a code host writes them."""
    found = set()
    for heading in HEADING.findall(prose(page)):
        words = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(words.replace(" ", "-"))
    return found


def inline(page):
    """Return the words between single backticks."""
    return [" ".join(found[2].split()) for found in INLINE.finditer(prose(page))]
